package dev.graft.match;

import dev.graft.graph.GraphNode;
import dev.graft.graph.Scope;
import dev.graft.graph.Use;
import dev.graft.graph.Value;
import dev.graft.match.Site.Kind;
import dev.graft.onnx.StoredTensor;
import dev.graft.tensor.Shape;
import java.util.List;
import java.util.Optional;

/** Finds the stored tensor of one parameter: a head's weight, a norm's scale, a bias. */
final class ParameterResolver {

  private final SiteIndex index;
  private final ModuleResolver modules;
  private final NameMap map;

  ParameterResolver(SiteIndex index, ModuleResolver modules, NameMap map) {
    this.index = index;
    this.modules = modules;
    this.map = map;
  }

  /**
   * A parameter's place.
   *
   * @param value the value that is called so: the stored one, or an Identity that renames it
   * @param root the stored value
   * @param tensor what is stored
   * @param rule how it was found
   * @param turn how PyTorch's tensor goes in
   * @param sites the sites on it, where it was found through one; else empty
   */
  record Found(
      Value value, Value root, StoredTensor tensor, NameRule rule, Turn turn, List<Site> sites) {}

  /** Either a place or why there is none. */
  record Outcome(Optional<Found> found, String problem, Miss.Cause cause) {

    static Outcome of(Found found) {
      return new Outcome(Optional.of(found), "", Miss.Cause.NO_FIT);
    }

    static Outcome none(String problem, Miss.Cause cause) {
      return new Outcome(Optional.empty(), problem, cause);
    }
  }

  /**
   * Looks a parameter up.
   *
   * @param parameter the adapter's name, e.g. {@code classifier.weight}
   * @param name the file's name
   * @param shape PyTorch's shape of the parameter
   */
  Outcome find(String parameter, String name, Shape shape) {
    Optional<String> mapped = map.target(parameter);
    String wanted = mapped.orElse(name);
    List<Value> values = index.parameter(wanted);
    if (values.size() > 1) {
      return Outcome.none(
          values.size() + " values in different graphs have that name", Miss.Cause.NO_FIT);
    }
    if (values.size() == 1) {
      Value value = values.getFirst();
      NameRule rule = mapped.isPresent() ? NameRule.MAP_FILE : NameRule.INITIALIZER;
      Optional<Found> found = stored(value, rule);
      if (found.isPresent()) {
        return fit(found.get(), shape);
      }
    }
    int dot = parameter.lastIndexOf('.');
    int fileDot = name.lastIndexOf('.');
    if (dot > 0 && fileDot > 0) {
      String module = parameter.substring(0, dot);
      String fileModule = name.substring(0, fileDot);
      if (parameter.endsWith(".weight")) {
        return weightOf(module, fileModule, shape);
      }
      if (parameter.endsWith(".bias")) {
        return biasOf(module, fileModule, shape);
      }
    }
    return Outcome.none("the file has no tensor of the name " + wanted, Miss.Cause.NO_FIT);
  }

  private Outcome weightOf(String module, String fileModule, Shape shape) {
    ModuleResolver.Found found = modules.find(module, fileModule, s -> true);
    if (found.sites().isEmpty()) {
      return Outcome.none(found.problem(), Miss.Cause.NO_FIT);
    }
    Site site = found.first();
    if (site.kind() == Kind.QUANTISED) {
      return Outcome.none(
          "its weight '"
              + site.tensor().label()
              + "' is quantised ("
              + site.node().operator()
              + ")",
          Miss.Cause.QUANTISED);
    }
    boolean turned = site.kind() == Kind.LINEAR && site.layout() == Layout.IN_OUT;
    return fit(
        new Found(
            site.path().root(),
            site.path().root(),
            site.tensor(),
            found.rule(),
            turned ? Turn.TRANSPOSED : Turn.AS_IS,
            found.sites()),
        shape);
  }

  /** The third input of the module's Gemm, or what the Add right behind its MatMul adds. */
  private Outcome biasOf(String module, String fileModule, Shape shape) {
    ModuleResolver.Found found = modules.find(module, fileModule, s -> s.kind() != Kind.EMBEDDING);
    if (found.sites().isEmpty()) {
      return Outcome.none(found.problem(), Miss.Cause.NO_FIT);
    }
    for (Site site : found.sites()) {
      Optional<Value> bias = biasValue(site);
      Optional<Found> stored = bias.flatMap(b -> stored(b, NameRule.BIAS_OF_SITE));
      if (stored.isPresent() && stored.get().tensor().shape().rank() == 1) {
        return fit(stored.get(), shape);
      }
    }
    return Outcome.none(
        "the graph adds no bias behind "
            + found.first().node()
            + "; exporters drop a bias of zeros, and Graft does not add nodes for one",
        Miss.Cause.UNSUPPORTED);
  }

  private Optional<Value> biasValue(Site site) {
    GraphNode node = site.node();
    Scope scope = node.scope();
    if (node.operator().equals("Gemm") || node.operator().equals("Conv")) {
      return node.input(2).flatMap(scope::resolve);
    }
    List<Use> readers =
        node.output().map(o -> index.graph().uses(new Value(scope, o))).orElse(List.of());
    if (readers.size() != 1 || !readers.getFirst().node().operator().equals("Add")) {
      return Optional.empty();
    }
    Use use = readers.getFirst();
    return use.node().input(1 - use.input()).flatMap(use.node().scope()::resolve);
  }

  /**
   * The stored tensor behind a value, through Identity only: a parameter is never turned or cast.
   */
  private static Optional<Found> stored(Value value, NameRule rule) {
    Value at = value;
    for (int i = 0; i < 16; i++) {
      Optional<StoredTensor> stored = WeightTracer.stored(at);
      if (stored.isPresent()) {
        return Optional.of(new Found(value, at, stored.get(), rule, Turn.AS_IS, List.of()));
      }
      Optional<GraphNode> producer = at.scope().producer(at.name());
      if (producer.isEmpty() || !producer.get().operator().equals("Identity")) {
        return Optional.empty();
      }
      GraphNode identity = producer.get();
      Optional<Value> next = identity.input(0).flatMap(identity.scope()::resolve);
      if (next.isEmpty()) {
        return Optional.empty();
      }
      at = next.get();
    }
    return Optional.empty();
  }

  private static Outcome fit(Found found, Shape shape) {
    Shape needed =
        found.turn() == Turn.TRANSPOSED && shape.rank() == 2 ? shape.transposed() : shape;
    if (needed.equals(found.tensor().shape())) {
      return Outcome.of(found);
    }
    return Outcome.none(
        "the adapter's tensor has shape %s, which needs %s in the file, but '%s' has %s"
            .formatted(shape, needed, found.tensor().label(), found.tensor().shape()),
        Miss.Cause.NO_FIT);
  }
}
