package dev.graft.match;

import dev.graft.graph.GraphNode;
import dev.graft.graph.ModelGraph;
import dev.graft.graph.Scope.FunctionId;
import dev.graft.graph.Use;
import dev.graft.graph.Value;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Predicate;

/**
 * Everything that reads a stored weight, through Identity, Transpose and Cast or directly, and how
 * to give some of the readers a copy of their own.
 */
final class WeightReaders {

  private static final int MAX_DEPTH = 16;

  private final ModelGraph graph;

  WeightReaders(ModelGraph graph) {
    this.graph = graph;
  }

  /** The operators' inputs that a value reaches in the end. */
  List<Use> leaves(Value value) {
    List<Use> leaves = new ArrayList<>();
    collect(value, leaves, 0);
    return leaves;
  }

  /** Whether the value itself, or one that it is renamed or turned into, leaves the graph. */
  boolean leavesGraph(Value value) {
    return leavesGraph(value, 0);
  }

  /**
   * The readings to move to a copy with the stored layout, so that exactly the wanted readers see
   * it.
   *
   * @return empty if the wanted ones cannot be told from the others before a Transpose or Cast, or
   *     if the value lives in a function
   */
  Optional<List<Use>> split(Value root, Predicate<Use> wanted) {
    List<Use> moved = new ArrayList<>();
    return root.scope().function().isEmpty() && split(root, wanted, moved, 0)
        ? Optional.of(List.copyOf(moved))
        : Optional.empty();
  }

  private boolean split(Value value, Predicate<Use> wanted, List<Use> moved, int depth) {
    for (Use use : graph.uses(value)) {
      List<Use> reached = new ArrayList<>();
      reach(use, reached, depth);
      boolean leaks = through(use).map(v -> leavesGraph(v, depth)).orElse(false);
      if (!leaks && !reached.isEmpty() && reached.stream().allMatch(wanted)) {
        moved.add(use);
      } else if (reached.stream().anyMatch(wanted)) {
        Optional<Value> next = through(use);
        boolean renamed = use.node().operator().equals("Identity");
        if (next.isEmpty()
            || !renamed
            || depth > MAX_DEPTH
            || !split(next.get(), wanted, moved, depth + 1)) {
          return false;
        }
      }
    }
    return true;
  }

  private void collect(Value value, List<Use> leaves, int depth) {
    for (Use use : graph.uses(value)) {
      reach(use, leaves, depth);
    }
  }

  private void reach(Use use, List<Use> leaves, int depth) {
    Optional<Value> next = through(use);
    if (next.isEmpty() || depth > MAX_DEPTH) {
      leaves.add(use);
    } else {
      collect(next.get(), leaves, depth + 1);
    }
  }

  private boolean leavesGraph(Value value, int depth) {
    if (value.scope().isOutput(value.name())) {
      return true;
    }
    return depth <= MAX_DEPTH
        && graph.uses(value).stream()
            .anyMatch(u -> through(u).map(v -> leavesGraph(v, depth + 1)).orElse(false));
  }

  /** What a transparent reader, or a call of a function, makes of the value. */
  private Optional<Value> through(Use use) {
    GraphNode node = use.node();
    if (use.input() == 0 && WeightTracer.isTransparent(node)) {
      return node.output().map(o -> new Value(node.scope(), o));
    }
    FunctionId id =
        new FunctionId(
            node.part().proto().getDomain(),
            node.part().proto().getOpType(),
            node.part().proto().getOverload());
    return graph
        .function(id)
        .flatMap(scope -> scope.inputAt(use.input()).map(n -> new Value(scope, n)));
  }
}
