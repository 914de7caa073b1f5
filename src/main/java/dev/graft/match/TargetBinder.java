package dev.graft.match;

import dev.graft.adapter.AdapterTarget;
import dev.graft.adapter.BaseCopy;
import dev.graft.adapter.LoraPair;
import dev.graft.adapter.PeftAdapter;
import dev.graft.adapter.Replacement;
import dev.graft.adapter.TokenRows;
import dev.graft.match.Collected.Advice;
import dev.graft.match.Miss.Cause;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Binds one target at a time under a given prefix. */
final class TargetBinder {

  private final NameMap map;
  private final Prefix prefix;
  private final PairBinder pairs;
  private final ReplacementBinder replacements;
  private final ExpertBinder experts;
  private final RowsBinder rows;
  private final TieRule rule;
  private final TieSettler ties;
  private final SizeSettler sizes;
  private final Collected collected;

  /**
   * Prepares to bind.
   *
   * @param names the map file and the prefix to try
   */
  TargetBinder(SiteIndex index, PeftAdapter adapter, Binder.Options names, Advice advice) {
    this.map = names.map();
    this.prefix = names.prefix().orElse(Prefix.NONE);
    this.collected = new Collected(advice);
    List<String> inFile =
        adapter.targets().stream().flatMap(t -> prefix.apply(t.target()).stream()).toList();
    RepeatedCalls calls = new RepeatedCalls(index, inFile);
    Turn squares = adapter.config().fanInFanOut() ? Turn.AS_IS : Turn.TRANSPOSED;
    ModuleResolver modules = new ModuleResolver(index, map, calls);
    PackedResolver packed =
        new PackedResolver(
            new PackLookup(index, modules, names.purpose()), index, outputs(adapter));
    ParameterResolver parameters = new ParameterResolver(modules, calls, squares, names.purpose());
    ShiftBinder shifts = new ShiftBinder(parameters, map, collected);
    this.pairs =
        new PairBinder(new PairPlaces(index, modules, packed), shifts, names.purpose(), collected);
    this.replacements =
        new ReplacementBinder(
            index, parameters, new PackedParameters(index, parameters, packed), collected);
    this.experts = new ExpertBinder(new ExpertWeights(index, calls), adapter.targets(), collected);
    this.rows = new RowsBinder(index, modules, collected);
    TieFinder finder = new TieFinder(index);
    this.rule =
        names.ties() == Ties.PEFT_MERGE
            ? new PeftMergeTies(finder)
            : new ActiveTies(finder, adapter.config().ensureWeightTying());
    this.ties = new TieSettler(index);
    this.sizes = new SizeSettler(index);
  }

  /** How many outputs the adapter's tensors give each module, by the file's names. */
  private Map<String, Long> outputs(PeftAdapter adapter) {
    Map<String, Long> outputs = new HashMap<>();
    for (AdapterTarget target : adapter.targets()) {
      if (target instanceof LoraPair pair && pair.kind() == LoraPair.Kind.LINEAR_OR_CONV) {
        prefix.apply(pair.module()).ifPresent(name -> outputs.put(name, pair.b().shape().dim(0)));
      } else if (target instanceof Replacement whole && whole.value().shape().rank() > 0) {
        String name = whole.parameter();
        int dot = Math.max(0, name.lastIndexOf('.'));
        prefix
            .apply(name.substring(0, dot))
            .ifPresent(module -> outputs.putIfAbsent(module, whole.value().shape().dim(0)));
      }
    }
    return outputs;
  }

  void bind(AdapterTarget target) {
    String name = target.target();
    Optional<String> inFile = map.target(name).isPresent() ? Optional.of(name) : prefix.apply(name);
    if (inFile.isEmpty() && !(target instanceof BaseCopy)) {
      collected.miss(name, Cause.ABSENT, "does not begin with '" + prefix.from() + "'");
      return;
    }
    switch (target) {
      case LoraPair pair when pair.kind() == LoraPair.Kind.PARAMETER ->
          experts.bind(pair, inFile.orElse(name));
      case LoraPair pair -> pairs.bind(pair, inFile.orElse(name));
      case Replacement whole ->
          replacements.bind(whole, inFile.orElse(name), map.target(whole.parameter()));
      case TokenRows some -> rows.bind(some, inFile.orElse(name));
      case BaseCopy copy -> {
        // Only there to check against; nothing to place.
      }
    }
  }

  /** What was found; each target on shared bytes has a copy of its own, or there is a reason. */
  Collected settled() {
    TieRule.Extended extended = rule.extend(collected.bound());
    collected.misses().addAll(extended.misses());
    List<BoundTarget> settled = ties.settle(extended, collected.misses());
    settled = Openings.apart(settled, collected.misses());
    settled = sizes.settle(settled, collected.misses());
    collected.bound().clear();
    collected.bound().addAll(settled);
    return collected;
  }
}
