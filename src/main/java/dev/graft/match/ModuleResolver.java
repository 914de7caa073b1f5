package dev.graft.match;

import dev.graft.graph.Value;
import dev.graft.onnx.StoredTensor;
import java.util.ArrayList;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Predicate;
import java.util.regex.Pattern;

/** Finds the sites that are one module of the network. */
final class ModuleResolver {

  private final SiteIndex index;
  private final NameMap map;

  ModuleResolver(SiteIndex index, NameMap map) {
    this.index = index;
    this.map = map;
  }

  /**
   * The sites of one module.
   *
   * @param sites all of them, on one stored weight; empty if there are none
   * @param rule how the first one was found
   * @param problem why there are none
   */
  record Found(List<Site> sites, NameRule rule, String problem) {

    static Found none(String problem) {
      return new Found(List.of(), NameRule.NODE_PATH, problem);
    }

    Site first() {
      return sites.getFirst();
    }
  }

  /**
   * Looks a module up.
   *
   * @param module the adapter's name for it
   * @param name the file's name for it
   * @param kind which operators will do
   */
  Found find(String module, String name, Predicate<Site> kind) {
    Optional<String> mapped = map.target(module);
    List<Site> candidates =
        mapped.isPresent()
            ? index.sites().stream().filter(s -> isCalled(s, mapped.get())).toList()
            : index.named(name);
    List<Site> fitting = candidates.stream().filter(kind).toList();
    if (fitting.isEmpty()) {
      return Found.none(problem(name, mapped, candidates));
    }
    List<Site> chosen = mapped.isPresent() ? fitting : mostTrusted(fitting, name);
    Set<StoredTensor> weights = Collections.newSetFromMap(new IdentityHashMap<>());
    chosen.forEach(s -> weights.add(s.tensor()));
    if (weights.size() > 1) {
      return Found.none(
          "%d different weights go by that name: %s; say which with --map FILE"
              .formatted(
                  weights.size(),
                  weights.stream().map(StoredTensor::label).sorted().limit(4).toList()));
    }
    List<Site> all = new ArrayList<>(chosen);
    addRepeatedCalls(all, name);
    NameRule rule =
        mapped.isPresent()
            ? NameRule.MAP_FILE
            : chosen.getFirst().named(name).map(SiteName::rule).orElse(NameRule.NODE_PATH);
    return new Found(List.copyOf(all), rule, "");
  }

  /**
   * Sites that call themselves so, and those that have no name of their own. Only where there are
   * neither do sites count whose weight is called so although the node has another name: a shared
   * weight carries the name of one of its modules alone.
   */
  private static List<Site> mostTrusted(List<Site> fitting, String name) {
    List<Site> own =
        fitting.stream()
            .filter(s ->
                s.ownName().isEmpty()
                    || s.named(name)
                        .filter(n -> n.isOfNode() || n.rule() == NameRule.GENAI)
                        .isPresent())
            .toList();
    return own.isEmpty() ? fitting : own;
  }

  private static boolean isCalled(Site site, String name) {
    return site.node().label().equals(name)
        || site.path().values().stream().map(Value::name).anyMatch(name::equals);
  }

  /**
   * TorchScript numbers the second and later calls of a module on one of its path's segments. A
   * site is such a call only if it is on the same weight and nothing in the file belongs to a
   * module of that very name.
   */
  private void addRepeatedCalls(List<Site> sites, String name) {
    Pattern numbered = numbered(name);
    StoredTensor weight = sites.getFirst().tensor();
    for (Site site : index.sites()) {
      if (!site.tensor().equals(weight)
          || sites.contains(site)
          || site.kind() != sites.getFirst().kind()) {
        continue;
      }
      site.ownName()
          .filter(own -> numbered.matcher(own).matches())
          .filter(own -> index.parameter(own + ".weight").isEmpty())
          .filter(own -> index.parameter(own + ".bias").isEmpty())
          .ifPresent(own -> sites.add(site));
    }
  }

  private static Pattern numbered(String name) {
    StringBuilder pattern = new StringBuilder();
    for (String segment : name.split("\\.", -1)) {
      if (!pattern.isEmpty()) {
        pattern.append("\\.");
      }
      pattern.append(Pattern.quote(segment)).append("(_\\d+)?");
    }
    return Pattern.compile(pattern.toString());
  }

  private static String problem(String name, Optional<String> mapped, List<Site> candidates) {
    if (candidates.isEmpty()) {
      return mapped
          .map(m -> "the map file names '" + m + "', but no operator or weight is called so")
          .orElse("the file has no weight of the name " + name);
    }
    return "'%s' is %s, which this kind of adapter tensor does not fit"
        .formatted(candidates.getFirst().node(), candidates.getFirst().kind());
  }
}
