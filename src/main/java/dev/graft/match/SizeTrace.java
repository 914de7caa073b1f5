package dev.graft.match;

import dev.graft.graph.GraphNode;
import dev.graft.graph.ModelGraph;
import dev.graft.graph.Scope;
import dev.graft.graph.Use;
import dev.graft.graph.Value;
import dev.graft.match.Resized.Size;
import dev.graft.onnx.StoredTensor;
import dev.graft.tensor.Shape;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SequencedMap;

/**
 * Follows tensors of a new size through the graph: which values change with them, and whether every
 * operator on the way can take them.
 */
public final class SizeTrace {

  private final ModelGraph graph;
  private final Ranks ranks;
  private final SizeRules rules;
  private final SequencedMap<Value, Size> values = new LinkedHashMap<>();
  private final Map<Use, Size> inputs = new LinkedHashMap<>();
  private final SequencedMap<String, String> problems = new LinkedHashMap<>();
  private final Deque<Runnable> open = new ArrayDeque<>();

  private SizeTrace(ModelGraph graph) {
    this.graph = graph;
    this.ranks = new Ranks(graph);
    this.rules = new SizeRules(ranks);
  }

  /** Follows all tensors of new sizes. */
  public static SizeTrace of(ModelGraph graph, List<BoundTarget> bound) {
    SizeTrace trace = new SizeTrace(graph);
    bound.forEach(trace::seed);
    while (!trace.open.isEmpty()) {
      trace.open.removeFirst().run();
    }
    trace.checkNeighbours();
    bound.forEach(trace::checkGap);
    return trace;
  }

  /** The values that change, the stored ones first. */
  public List<Resized> values() {
    return values.entrySet().stream().map(e -> new Resized(e.getKey(), e.getValue())).toList();
  }

  /** Why a target's tensor cannot have another size, by the target's name. */
  Map<String, String> problems() {
    return problems;
  }

  /** The shape that a whole tensor has in the file. */
  public static Shape shape(BoundTarget.Whole whole) {
    if (!whole.place().outputs().isAll()) {
      return whole.place().tensor().shape();
    }
    long[] dims = whole.replacement().value().shape().toArray();
    if (dims.length > 0) {
      dims[0] = whole.valueOutputs().countOf(dims[0]);
    }
    Shape shape = Shape.of(dims);
    return whole.turn() == Turn.TRANSPOSED && shape.rank() == 2 ? shape.transposed() : shape;
  }

  private void seed(BoundTarget target) {
    if (!(target instanceof BoundTarget.Whole whole)) {
      return;
    }
    Shape shape = shape(whole);
    for (Spot spot : whole.place().spots()) {
      Optional<Size> size = size(spot.tensor().shape(), shape, whole.name());
      if (size.isPresent() && spot.isSplit()) {
        spot.split().forEach(use -> open.add(() -> read(use, size.get())));
      } else if (size.isPresent()) {
        spot.twins().forEach(twin -> open.add(() -> seed(twin, size.get())));
      }
    }
  }

  private void seed(StoredTensor tensor, Size size) {
    graph
        .valueOf(tensor)
        .ifPresentOrElse(
            value -> change(value, size),
            () -> problem(size, "'%s' is part of an operator".formatted(tensor.label())));
  }

  private static Optional<Size> size(Shape from, Shape to, String target) {
    for (int i = 0; i < from.rank(); i++) {
      if (from.dim(i) != to.dim(i)) {
        return Optional.of(new Size(from.rank() - i, from.dim(i), to.dim(i), target));
      }
    }
    return Optional.empty();
  }

  /** A value has a new size, and so has whatever reads it. */
  private void change(Value value, Size size) {
    Size before = values.putIfAbsent(value, size);
    if (before != null) {
      if (!before.sameAs(size)) {
        problem(size, "'%s' would have two new sizes".formatted(value.name()));
      }
      return;
    }
    if (value.scope() != graph.main() || leavesAnother(value)) {
      problem(size, "'%s' belongs to a subgraph or function".formatted(value.name()));
      return;
    }
    Optional<Long> declared = ranks.length(value, size.axis());
    boolean contradicts =
        declared.isPresent() && declared.get() != size.from() && declared.get() != size.to();
    if (contradicts) {
      problem(
          size,
          "'%s' is declared with %d on the axis that should have %d"
              .formatted(value.name(), declared.get(), size.from()));
    }
    graph.uses(value).forEach(use -> open.add(() -> read(use, size)));
  }

  private boolean leavesAnother(Value value) {
    return graph.scopes().stream()
        .filter(scope -> scope != graph.main() && scope.outputs().contains(value.name()))
        .map(scope -> scope.resolve(value.name()))
        .anyMatch(Optional.of(value)::equals);
  }

  private void read(Use use, Size size) {
    if (inputs.putIfAbsent(use, size) != null) {
      return;
    }
    GraphNode node = use.node();
    Scope scope = node.scope();
    if (scope != graph.main() || graph.function(node.callee()).isPresent()) {
      problem(size, node + " lies in a subgraph or function");
      return;
    }
    switch (rules.effect(use, size)) {
      case SizeRules.Effect.Ends() -> {
        // Nothing behind it has the size.
      }
      case SizeRules.Effect.Doubt(String reason) -> problem(size, reason);
      case SizeRules.Effect.GoesOn(int axis) ->
          node.output().ifPresent(o -> change(new Value(scope, o), size.at(axis)));
    }
  }

  /** Inputs that an operator reads beside one of a new size must have it too, or none at all. */
  private void checkNeighbours() {
    Map<GraphNode, List<Use>> changed = new LinkedHashMap<>();
    inputs.keySet().forEach(u -> changed.computeIfAbsent(u.node(), n -> new ArrayList<>()).add(u));
    changed.forEach((node, uses) -> {
      switch (node.operator()) {
        case "Gemm", "com.microsoft.FusedGemm", "Conv" -> checkBias(node, uses);
        default -> {
          if (SizeRules.ELEMENTWISE.contains(node.operator())) {
            checkOthers(uses.getFirst());
          }
        }
      }
    });
  }

  private void checkBias(GraphNode node, List<Use> uses) {
    boolean bias = uses.stream().anyMatch(u -> u.input() == 2);
    boolean product = uses.stream().anyMatch(u -> u.input() != 2);
    Size size = sizeOf(uses.getFirst());
    if (bias && !product) {
      problem(size, "the weight of " + node + " keeps the old size");
    } else if (!bias && !isNeutral(node, 2, size.at(1))) {
      problem(size, "the bias of " + node + " keeps the old size; the adapter has to save it too");
    }
  }

  private void checkOthers(Use use) {
    GraphNode node = use.node();
    Size size = sizeOf(use);
    for (int i = 0; i < node.inputs().size(); i++) {
      Size other = inputs.get(new Use(node, i));
      boolean agrees = other == null ? isNeutral(node, i, size) : other.sameAs(size);
      if (!agrees) {
        problem(
            size,
            "%s joins it with '%s', which keeps the old size"
                .formatted(node, node.input(i).orElse("")));
      }
    }
  }

  /** Whether an input is absent, or is stretched along the axis. */
  private boolean isNeutral(GraphNode node, int input, Size size) {
    Optional<Value> value = node.input(input).flatMap(node.scope()::resolve);
    return value.isEmpty() || ranks.length(value.get(), size.axis()).equals(Optional.of(1L));
  }

  /** A new parameter must have as many values as its operators' outputs have then. */
  private void checkGap(BoundTarget target) {
    if (!(target instanceof BoundTarget.Whole whole) || whole.place().gap().isEmpty()) {
      return;
    }
    Gap gap = whole.place().gap().get();
    long length = shape(whole).elements();
    for (Opening opening : gap.openings()) {
      GraphNode node = opening.node();
      Size size = node.output().map(o -> values.get(new Value(node.scope(), o))).orElse(null);
      long fits = size == null ? gap.length() : size.to();
      if (fits != length) {
        problems.putIfAbsent(
            whole.name(),
            "the adapter's tensor has shape %s, but %s has %d outputs"
                .formatted(whole.replacement().value().shape(), node, fits));
      }
    }
  }

  private Size sizeOf(Use use) {
    return Optional.ofNullable(inputs.get(use)).orElseThrow();
  }

  private void problem(Size size, String reason) {
    problems.putIfAbsent(
        size.target(),
        "its size changes from %d to %d, but %s".formatted(size.from(), size.to(), reason));
  }
}
