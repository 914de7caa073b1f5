package dev.graft.match;

import dev.graft.graph.GraphNode;
import dev.graft.graph.ModelGraph;
import dev.graft.graph.Value;
import dev.graft.match.ParameterResolver.Needed;
import dev.graft.match.ParameterResolver.Sizing;
import dev.graft.match.ParameterResolver.Wanted;
import dev.graft.match.WeightReaders.Leaf;
import dev.graft.tensor.Shape;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Finds parameters that are in the file under their own names, and how they lie there. */
final class NamedParameters {

  private static final int MAX_RENAMINGS = 32;

  private final SiteIndex index;
  private final WeightReaders readers;
  private final RepeatedCalls calls;
  private final Turn squares;

  /**
   * Prepares to look parameters up.
   *
   * @param squares how a square weight goes in that is kept under its own name but read as {@code
   *     [in, out]}
   */
  NamedParameters(SiteIndex index, RepeatedCalls calls, Turn squares) {
    this.index = index;
    this.calls = calls;
    this.squares = squares;
    this.readers = new WeightReaders(index.graph());
  }

  /** The stored tensors whose values are called like the parameter. */
  List<Spot> find(Wanted wanted) {
    List<Spot> spots = new ArrayList<>();
    for (Value value : index.parameter(wanted.mapped().orElse(wanted.name()))) {
      root(value)
          .ifPresent(root ->
              spots.add(
                  Spot.of(ModelGraph.stored(root).orElseThrow(), root, readersOf(value, wanted))));
    }
    return spots;
  }

  /**
   * Whether a tensor carries the parameter's name for others only: of equal values that modules
   * share an exporter keeps one name, and the module of that name may read a copy of its own, or
   * nothing where its bias was left out.
   */
  boolean isBorrowed(List<Spot> named, Wanted wanted) {
    boolean weight = wanted.parameter().endsWith(".weight");
    if (wanted.mapped().isPresent() || !(weight || wanted.isBias())) {
      return false;
    }
    String module = wanted.module(wanted.name());
    List<Reading> readings = named.stream().flatMap(s -> s.readers().stream()).toList();
    boolean apart =
        index.named(module).stream()
            .anyMatch(s -> s.saysOfItself(module) && !readings.contains(s.reading()));
    return (apart || (wanted.isBias() && isNorm(module)))
        && readings.stream()
            .map(index.names()::ofNode)
            .allMatch(says ->
                !says.isEmpty()
                    && says.stream().noneMatch(s -> calls.isWithin(s.module(), module)));
  }

  private boolean isNorm(String module) {
    return index.nodes().of(module, calls).stream().anyMatch(NormFinder::isOperator);
  }

  /**
   * Whether the name may stand for more than the parameter: a vector whose values are all alike, as
   * those of fresh norms and biases are, is one tensor for many modules in some exports, and where
   * an optimiser has taken the names of its readers away nobody can tell them apart.
   */
  boolean isInDoubt(List<Spot> named, Wanted wanted) {
    List<Reading> readings = named.stream().flatMap(s -> s.readers().stream()).distinct().toList();
    return wanted.mapped().isEmpty()
        && readings.size() > 1
        && named.getFirst().tensor().shape().rank() == 1
        && readings.stream().anyMatch(r -> index.names().ofNode(r).isEmpty())
        && index.bytes().isUniform(named.getFirst().tensor());
  }

  /**
   * How a parameter that is in the file under its own name lies there. Exporters that keep the name
   * keep the layout too, whatever operator reads it. Other tools turn a linear layer's weight and
   * leave its name: where the shape cannot tell, the operator does, unless the adapter was made for
   * Conv1D layers, whose weights are {@code [in, out]} in PyTorch.
   */
  Turn turn(Wanted wanted, Spot spot) {
    Shape stored = spot.tensor().shape();
    if (stored.rank() != 2 || wanted.needed().shape().rank() != 2) {
      return Turn.AS_IS;
    }
    boolean readTurned = readTurned(spot);
    boolean square = stored.dim(0) == stored.dim(1);
    boolean turned =
        square
            ? readTurned && (squares == Turn.TRANSPOSED || wanted.mapped().isPresent())
            : readTurned && isTurned(wanted.needed(), stored);
    return turned ? Turn.TRANSPOSED : Turn.AS_IS;
  }

  private static boolean isTurned(Needed needed, Shape stored) {
    Shape shape = needed.shape();
    return needed.sizing() == Sizing.AS_IN_FILE
        ? shape.transposed().equals(stored)
        : shape.dim(1) == stored.dim(0) && shape.dim(1) != stored.dim(1);
  }

  private boolean readTurned(Spot spot) {
    List<Site> sites =
        index.on(spot.tensor()).stream().filter(s -> spot.readers().contains(s.reading())).toList();
    return !sites.isEmpty() && sites.stream().allMatch(s -> s.layout() == Layout.IN_OUT);
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
}
