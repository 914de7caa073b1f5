package dev.graft.match;

import dev.graft.graph.Value;
import dev.graft.match.Miss.Cause;
import dev.graft.onnx.StoredTensor;
import java.util.ArrayList;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Predicate;

/** Finds the sites that are one module of the network. */
final class ModuleResolver {

  private final SiteIndex index;
  private final NameMap map;
  private final RepeatedCalls calls;

  ModuleResolver(SiteIndex index, NameMap map, RepeatedCalls calls) {
    this.index = index;
    this.map = map;
    this.calls = calls;
  }

  /** The sites that modules are looked up among. */
  SiteIndex index() {
    return index;
  }

  /**
   * The sites of one module.
   *
   * @param sites all of them, on one stored weight or on copies of it; empty if there are none
   * @param rule how the first one was found
   * @param problem why there are none
   * @param cause what stands in the way then
   */
  record Found(List<Site> sites, NameRule rule, String problem, Cause cause) {

    static Found none(String problem, Cause cause) {
      return new Found(List.of(), NameRule.NODE_PATH, problem, cause);
    }

    Site first() {
      return sites.getFirst();
    }

    /** Whether all sites see the weight alike, so that one change serves them all. */
    boolean isUniform() {
      return sites.stream()
          .allMatch(s ->
              s.kind() == first().kind()
                  && s.layout() == first().layout()
                  && s.alpha() == first().alpha());
    }

    /** The stored weights with the sites that read each. */
    List<Spot> spots() {
      return Spots.of(sites.stream().map(Site::path).toList());
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
    if (mapped.isPresent()) {
      return findMapped(mapped.get(), kind);
    }
    List<Site> candidates = index.named(name);
    List<Site> fitting = candidates.stream().filter(kind).toList();
    if (fitting.isEmpty()) {
      return candidates.isEmpty()
          ? Found.none("the file has no weight of the name " + name, Cause.ABSENT)
          : Found.none(misfit(candidates.getFirst()), Cause.NO_FIT);
    }
    List<Site> chosen = mostTrusted(fitting, name);
    if (chosen.isEmpty()) {
      Site other = fitting.getFirst();
      return Found.none(
          "the weight '%s' is called so, but %s, which reads it, belongs to '%s'"
              .formatted(other.tensor().label(), other.node(), other.nodeNames().getFirst()),
          Cause.NO_FIT);
    }
    return withFurtherCalls(chosen, List.of(name), chosen.getFirst().ruleFor(name));
  }

  /** Looks up what the map file names: a node, or a value on the way to a weight. */
  Found findMapped(String called, Predicate<Site> kind) {
    List<Site> candidates = called(called);
    List<Site> fitting = candidates.stream().filter(kind).toList();
    if (fitting.isEmpty()) {
      return candidates.isEmpty()
          ? Found.none(
              "the map file names '" + called + "', but no operator or weight is called so",
              Cause.ABSENT)
          : Found.none(misfit(candidates.getFirst()), Cause.NO_FIT);
    }
    List<String> names = fitting.stream().flatMap(s -> s.nodeNames().stream()).distinct().toList();
    return withFurtherCalls(fitting, names, NameRule.MAP_FILE);
  }

  private static String misfit(Site site) {
    return "%s is %s, which this kind of adapter tensor does not fit"
        .formatted(
            site.node(),
            switch (site.kind()) {
              case LINEAR -> "a linear layer";
              case EMBEDDING -> "an embedding";
              case CONV -> "a convolution";
              case QUANTISED -> "quantised";
            });
  }

  /**
   * Sites that are known to be one module, with its further calls.
   *
   * @param chosen the sites, at least one
   * @param names the module's names by its nodes
   * @param rule how they were found
   */
  Found withFurtherCalls(List<Site> chosen, List<String> names, NameRule rule) {
    Set<Site> all = Collections.newSetFromMap(new IdentityHashMap<>());
    all.addAll(chosen);
    List<Site> ordered = new ArrayList<>(chosen);
    for (String name : names) {
      for (Site site : index.numberedLike(name)) {
        if (site.kind() == chosen.getFirst().kind()
            && site.nodeNames().stream().anyMatch(n -> calls.isModule(n, name))
            && index.bytes().same(site.tensor(), chosen.getFirst().tensor())
            && all.add(site)) {
          ordered.add(site);
        }
      }
    }
    Set<StoredTensor> weights = new LinkedHashSet<>(ordered.stream().map(Site::tensor).toList());
    if (weights.stream().anyMatch(w -> !index.bytes().same(w, weights.iterator().next()))) {
      return Found.none(
          "%d different weights go by that name: %s; say which with --map FILE"
              .formatted(
                  weights.size(),
                  weights.stream().map(StoredTensor::label).sorted().limit(4).toList()),
          Cause.NO_FIT);
    }
    return new Found(List.copyOf(ordered), rule, "", Cause.NO_FIT);
  }

  /**
   * Sites that call themselves so, and those that have no name of their own. Only where there are
   * neither do sites count whose weight is called so although the node names a module around or
   * inside it, or the same with a wrapper in front: a weight that several modules share carries the
   * name of one alone.
   */
  private static List<Site> mostTrusted(List<Site> fitting, String name) {
    List<Site> own =
        fitting.stream().filter(s -> s.saysOfItself(name) || s.nodeNames().isEmpty()).toList();
    if (own.isEmpty()) {
      return fitting.stream()
          .filter(s -> s.nodeNames().stream().anyMatch(n -> isKin(n, name) || isKin(name, n)))
          .toList();
    }
    List<Site> plain = own.stream().filter(s -> s.ruleFor(name) != NameRule.GENAI).toList();
    List<Site> trusted = plain.isEmpty() ? own : plain;
    Set<StoredTensor> called = Collections.newSetFromMap(new IdentityHashMap<>());
    trusted.stream()
        .filter(s -> isWeightsName(s.ruleFor(name)))
        .forEach(s -> called.add(s.tensor()));
    return called.isEmpty()
        ? trusted
        : trusted.stream().filter(s -> called.contains(s.tensor())).toList();
  }

  private static boolean isWeightsName(NameRule rule) {
    return rule == NameRule.INITIALIZER || rule == NameRule.FOLDED_FROM;
  }

  private static boolean isKin(String shorter, String longer) {
    return longer.startsWith(shorter + ".") || longer.endsWith("." + shorter);
  }

  /** The nearest meaning of a name: the node itself, what it reads, what lies behind that. */
  private List<Site> called(String name) {
    List<Site> nodes = index.sites().stream().filter(s -> s.node().label().equals(name)).toList();
    if (!nodes.isEmpty()) {
      return nodes;
    }
    List<Site> read =
        index.sites().stream()
            .filter(s -> s.path().values().getFirst().name().equals(name))
            .toList();
    return read.isEmpty()
        ? index.sites().stream()
            .filter(s -> s.path().values().stream().map(Value::name).anyMatch(name::equals))
            .toList()
        : read;
  }
}
