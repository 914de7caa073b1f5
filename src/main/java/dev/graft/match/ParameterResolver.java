package dev.graft.match;

import dev.graft.graph.GraphNode;
import dev.graft.graph.ModelGraph;
import dev.graft.graph.Value;
import dev.graft.match.Miss.Cause;
import dev.graft.match.Site.Kind;
import dev.graft.match.WeightReaders.Leaf;
import dev.graft.onnx.StoredTensor;
import dev.graft.tensor.Shape;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Predicate;

/** Finds the stored tensor of one parameter: a head's weight, a norm's scale, a bias. */
final class ParameterResolver {

  private static final int MAX_RENAMINGS = 32;

  private final SiteIndex index;
  private final ModuleResolver modules;
  private final BiasFinder biases;
  private final WeightReaders readers;
  private final WeightTracer tracer;
  private final RepeatedCalls calls;
  private final Turn squares;

  /**
   * Prepares to look parameters up.
   *
   * @param squares how a square weight goes in that is kept under its own name but read as {@code
   *     [in, out]}
   */
  ParameterResolver(SiteIndex index, ModuleResolver modules, RepeatedCalls calls, Turn squares) {
    this.index = index;
    this.modules = modules;
    this.calls = calls;
    this.squares = squares;
    this.readers = new WeightReaders(index.graph());
    this.tracer = new WeightTracer(index.graph());
    this.biases = new BiasFinder(index, calls);
  }

  /**
   * A parameter by its names.
   *
   * @param parameter the adapter's name, e.g. {@code classifier.weight}
   * @param name the file's name
   * @param mapped what the map file joins it to
   * @param shape PyTorch's shape
   */
  record Wanted(String parameter, String name, Optional<String> mapped, Shape shape) {

    String module(String of) {
      int dot = of.lastIndexOf('.');
      return dot < 0 ? "" : of.substring(0, dot);
    }

    boolean isBias() {
      return parameter.endsWith(".bias");
    }

    /** The same under another name of the file. */
    Wanted called(String other) {
      return new Wanted(other, other, mapped, shape);
    }

    /** The same with another shape. */
    Wanted shaped(Shape other) {
      return new Wanted(parameter, name, mapped, other);
    }
  }

  /**
   * A parameter's place.
   *
   * @param spots the stored tensors
   * @param rule how they were found
   * @param turn how PyTorch's tensor goes in
   */
  record Found(List<Spot> spots, NameRule rule, Turn turn) {
    StoredTensor tensor() {
      return spots.getFirst().tensor();
    }
  }

  /** Either a place or why there is none. */
  record Outcome(Optional<Found> found, String problem, Cause cause) {

    static Outcome of(Found found) {
      return new Outcome(Optional.of(found), "", Cause.NO_FIT);
    }

    static Outcome none(String problem, Cause cause) {
      return new Outcome(Optional.empty(), problem, cause);
    }
  }

  /** Looks a parameter up. */
  Outcome find(Wanted wanted) {
    List<Spot> named = named(wanted);
    if (!named.isEmpty() && !isBorrowed(named, wanted)) {
      return byName(wanted, named);
    }
    if (wanted.isBias()) {
      return biasOf(sites(wanted, s -> s.kind() != Kind.EMBEDDING), wanted);
    }
    if (wanted.parameter().endsWith(".weight") || wanted.mapped().isPresent()) {
      return weightOf(sites(wanted, s -> true), wanted);
    }
    return Outcome.none("the file has no tensor of the name " + wanted.name(), Cause.ABSENT);
  }

  /** Whether the file has a tensor of the parameter's own name. */
  boolean hasNamed(Wanted wanted) {
    return !named(wanted).isEmpty();
  }

  /**
   * Looks up a parameter of a module whose sites are known.
   *
   * @param found the module's sites
   * @param wanted a weight or a bias
   */
  Outcome findAt(ModuleResolver.Found found, Wanted wanted) {
    List<Spot> named = named(wanted);
    if (!named.isEmpty()) {
      return byName(wanted, named);
    }
    return wanted.isBias() ? biasOf(found, wanted) : weightOf(found, wanted);
  }

  /** A linear layer by the file's name. */
  ModuleResolver.Found linear(String module) {
    return modules.find(module, module, s -> s.kind() != Kind.EMBEDDING && s.kind() != Kind.CONV);
  }

  /** The ways from an operator's input to what is stored. */
  List<WeightPath> trace(GraphNode node, int input) {
    return tracer.trace(node, input);
  }

  /**
   * Whether a weight carries the parameter's name for others only: of a weight that modules share
   * an exporter keeps one name, and the module of that name may read a copy of its own.
   */
  private boolean isBorrowed(List<Spot> named, Wanted wanted) {
    if (wanted.mapped().isPresent() || !wanted.parameter().endsWith(".weight")) {
      return false;
    }
    String module = wanted.module(wanted.name());
    List<Reading> readings = named.stream().flatMap(s -> s.readers().stream()).toList();
    return index.named(module).stream()
            .anyMatch(s -> s.saysOfItself(module) && !readings.contains(s.reading()))
        && readings.stream()
            .map(index.names()::ofNode)
            .allMatch(says ->
                !says.isEmpty()
                    && says.stream().noneMatch(s -> calls.isWithin(s.module(), module)));
  }

  private ModuleResolver.Found sites(Wanted wanted, Predicate<Site> kind) {
    return wanted
        .mapped()
        .map(m -> modules.findMapped(m, kind))
        .orElseGet(() ->
            modules.find(wanted.module(wanted.parameter()), wanted.module(wanted.name()), kind));
  }

  /** The stored tensors whose values are called like the parameter. */
  private List<Spot> named(Wanted wanted) {
    List<Spot> spots = new ArrayList<>();
    for (Value value : index.parameter(wanted.mapped().orElse(wanted.name()))) {
      root(value)
          .ifPresent(root ->
              spots.add(
                  Spot.of(ModelGraph.stored(root).orElseThrow(), root, readersOf(value, wanted))));
    }
    return spots;
  }

  private Outcome byName(Wanted wanted, List<Spot> spots) {
    if (spots.stream().anyMatch(s -> !index.bytes().same(s.tensor(), spots.getFirst().tensor()))) {
      return Outcome.none(
          spots.size() + " different tensors in several graphs have that name", Cause.NO_FIT);
    }
    NameRule rule = wanted.mapped().isPresent() ? NameRule.MAP_FILE : NameRule.INITIALIZER;
    return fit(new Found(spots, rule, turn(wanted, spots.getFirst())), wanted.shape());
  }

  /**
   * How a parameter that is in the file under its own name lies there. Exporters that keep the name
   * keep the layout too, whatever operator reads it. Other tools turn a linear layer's weight and
   * leave its name: where the shape cannot tell, the operator does, unless the adapter was made for
   * Conv1D layers, whose weights are {@code [in, out]} in PyTorch.
   */
  private Turn turn(Wanted wanted, Spot spot) {
    Shape stored = spot.tensor().shape();
    if (stored.rank() != 2 || wanted.shape().rank() != 2) {
      return Turn.AS_IS;
    }
    boolean readTurned = readTurned(spot);
    boolean square = stored.dim(0) == stored.dim(1);
    boolean turned =
        square
            ? readTurned && (squares == Turn.TRANSPOSED || wanted.mapped().isPresent())
            : readTurned && wanted.shape().transposed().equals(stored);
    return turned ? Turn.TRANSPOSED : Turn.AS_IS;
  }

  private boolean readTurned(Spot spot) {
    List<Site> sites =
        index.on(spot.tensor()).stream().filter(s -> spot.readers().contains(s.reading())).toList();
    return !sites.isEmpty() && sites.stream().allMatch(s -> s.layout() == Layout.IN_OUT);
  }

  private Outcome weightOf(ModuleResolver.Found found, Wanted wanted) {
    if (found.sites().isEmpty()) {
      return Outcome.none(found.problem(), found.cause());
    }
    Site site = found.first();
    if (site.kind() == Kind.QUANTISED) {
      return quantised(site);
    }
    if (!found.isUniform()) {
      return Outcome.none(
          "its operators read '%s' in different ways".formatted(site.tensor().label()),
          Cause.UNSUPPORTED);
    }
    Turn turn = site.layout() == Layout.IN_OUT ? Turn.TRANSPOSED : Turn.AS_IS;
    return fit(new Found(found.spots(), found.rule(), turn), wanted.shape());
  }

  private Outcome biasOf(ModuleResolver.Found found, Wanted wanted) {
    if (found.sites().isEmpty()) {
      return Outcome.none(found.problem(), found.cause());
    }
    List<WeightPath> paths = biases.find(found.sites(), wanted.module(wanted.name()));
    if (paths.isEmpty()) {
      Site site = found.first();
      return site.kind() == Kind.QUANTISED
          ? quantised(site)
          : Outcome.none(
              "the graph adds no bias behind %s; exporters drop a bias of zeros, and Graft does not add nodes for one"
                  .formatted(site.node()),
              Cause.UNSUPPORTED);
    }
    if (paths.stream().anyMatch(WeightPath::isQuantised)) {
      return Outcome.none(
          "its tensor '%s' is quantised".formatted(paths.getFirst().tensor().label()),
          Cause.QUANTISED);
    }
    List<Spot> spots = Spots.of(paths);
    if (spots.stream().anyMatch(s -> !index.bytes().same(s.tensor(), spots.getFirst().tensor()))) {
      return Outcome.none(
          "its operators add different biases: "
              + spots.stream().map(s -> s.tensor().label()).limit(4).toList(),
          Cause.NO_FIT);
    }
    return fit(new Found(spots, NameRule.BIAS_OF_SITE, Turn.AS_IS), wanted.shape());
  }

  private static Outcome quantised(Site site) {
    return Outcome.none(
        "its weight '%s' is quantised (%s)"
            .formatted(site.tensor().label(), site.node().operator()),
        Cause.QUANTISED);
  }

  /** Who reads a parameter as such; whoever reads it under another name has merely equal values. */
  private List<Reading> readersOf(Value value, Wanted wanted) {
    String module = wanted.module(wanted.name());
    List<Leaf> all = readers.reach(value).leaves();
    List<Reading> own =
        all.stream()
            .filter(l -> belongs(l, value.name(), module))
            .map(Leaf::reading)
            .distinct()
            .toList();
    if (!own.isEmpty()) {
      return own;
    }
    List<Reading> called =
        all.stream()
            .filter(l -> l.nearest().equals(value.name()))
            .map(Leaf::reading)
            .distinct()
            .toList();
    return called.isEmpty() ? all.stream().map(Leaf::reading).distinct().toList() : called;
  }

  private boolean belongs(Leaf leaf, String name, String module) {
    List<SiteName> says = index.names().ofNode(leaf.reading());
    return says.isEmpty()
        ? leaf.nearest().equals(name)
        : says.stream().anyMatch(s -> calls.isWithin(s.module(), module));
  }

  /** The stored value behind one, through Identity only: a parameter is never turned or cast. */
  private static Optional<Value> root(Value value) {
    Value at = value;
    for (int i = 0; i < MAX_RENAMINGS; i++) {
      if (ModelGraph.stored(at).isPresent()) {
        return Optional.of(at);
      }
      Optional<GraphNode> identity =
          at.scope().producer(at.name()).filter(p -> p.operator().equals("Identity"));
      Optional<Value> next = identity.flatMap(n -> n.input(0).flatMap(n.scope()::resolve));
      if (next.isEmpty()) {
        return Optional.empty();
      }
      at = next.get();
    }
    return Optional.empty();
  }

  private static Outcome fit(Found found, Shape shape) {
    boolean turned = found.turn() == Turn.TRANSPOSED && shape.rank() == 2;
    Shape needed = turned ? shape.transposed() : shape;
    if (needed.equals(found.tensor().shape())) {
      return Outcome.of(found);
    }
    return Outcome.none(
        "the adapter's tensor has shape %s, which needs %s in the file, but '%s' has %s"
            .formatted(shape, needed, found.tensor().label(), found.tensor().shape()),
        Cause.NO_FIT);
  }
}
