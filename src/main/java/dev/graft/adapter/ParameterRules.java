package dev.graft.adapter;

import dev.graft.adapter.LoraPair.Parameters;
import dev.graft.error.FormatException;
import dev.graft.safetensors.StrictJson;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SortedSet;
import java.util.TreeSet;

/** Finds which pairs belong to directly targeted parameters, and to which. */
final class ParameterRules {

  /** What a pair has that stands for no parameter. */
  static final Parameters NONE = new Parameters(Map.of(), 0);

  /** A module has a handful of parameters. */
  private static final int MAX_CANDIDATES = 256;

  private static final long STEPS_PER_CANDIDATE = 20;

  private final AdapterConfig config;
  private final Set<String> modules;
  private final List<String> bare;
  private final Map<String, SortedSet<String>> byOwner = new HashMap<>();

  ParameterRules(AdapterConfig config) {
    this.config = config;
    this.modules = Set.copyOf(config.targetModules());
    SortedSet<String> ofAnyModule = new TreeSet<>();
    for (String target : config.targetParameters()) {
      int dot = target.lastIndexOf('.');
      SortedSet<String> names =
          dot < 0
              ? ofAnyModule
              : byOwner.computeIfAbsent(target.substring(0, dot), o -> new TreeSet<>());
      names.add(target.substring(dot + 1));
    }
    this.bare = List.copyOf(ofAnyModule);
  }

  /** The parameters that a pair may stand for; none where it belongs to a targeted module. */
  Parameters candidates(AdapterKey key, long rowsOfA, StepBudget budget) {
    List<String> tails = tails(key.module(), budget);
    if (tails.stream().anyMatch(modules::contains)) {
      return NONE;
    }
    // A bare parameter name fits any module; a usual pair then shows by having just its rank in
    // rows.
    SortedSet<String> names = new TreeSet<>(rowsOfA == config.r() ? List.of() : few(bare, key));
    for (String tail : tails) {
      names.addAll(few(byOwner.getOrDefault(tail, Collections.emptySortedSet()), key));
    }
    budget.spend(STEPS_PER_CANDIDATE * names.size(), ConfigField.TARGET_PARAMETERS);
    Map<String, Scaling> scalings = new HashMap<>();
    // PEFT resolves rank and alpha for the parameter's full name.
    names.forEach(n -> scalings.put(n, config.scaling(key.module() + "." + n, budget)));
    return names.isEmpty() ? NONE : new Parameters(scalings, key.scope().depth());
  }

  private static <C extends Collection<String>> C few(C names, AdapterKey key) {
    if (names.size() > MAX_CANDIDATES) {
      throw new FormatException(
          "target_parameters names "
              + names.size()
              + " parameters that module "
              + StrictJson.excerpt(key.module())
              + " may have, expected at most "
              + MAX_CANDIDATES);
    }
    return names;
  }

  /** A module's name and what stands after each of its dots. */
  private List<String> tails(String module, StepBudget budget) {
    if (modules.isEmpty() && byOwner.isEmpty()) {
      return List.of();
    }
    List<String> tails = new ArrayList<>();
    int start = 0;
    do {
      budget.spend(1 + module.length() - start, ConfigField.TARGET_MODULES);
      tails.add(module.substring(start));
      start = module.indexOf('.', start) + 1;
    } while (start > 0);
    return tails;
  }
}
