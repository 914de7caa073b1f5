package dev.graft.match;

import dev.graft.error.UnsupportedException;
import dev.graft.graph.GraphNode;
import dev.graft.graph.ModelGraph;
import dev.graft.graph.Use;
import dev.graft.graph.Value;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Predicate;

/**
 * Everything that reads a stored weight, through Identity, Transpose, Cast and function calls or
 * directly, and how to give some of the readers a copy of their own.
 */
final class WeightReaders {

  /** Renamings that a copy can be put behind; exporters make one. */
  private static final int MAX_DEPTH = 32;

  /** Real weights pass a few calls; functions that call each other need 2^n. */
  private static final int MAX_IN_CALLS = 1 << 16;

  private static final int MAX_STEPS = 1 << 26;

  private final ModelGraph graph;
  private int steps;

  WeightReaders(ModelGraph graph) {
    this.graph = graph;
  }

  /**
   * An operator's input that a weight reaches in the end.
   *
   * @param reading the input
   * @param nearest the last name on the way that looks like a parameter's
   */
  record Leaf(Reading reading, String nearest) {}

  /**
   * What a weight reaches.
   *
   * @param leaves the operators' inputs
   * @param exits values on the way that leave their graph
   */
  record Reach(List<Leaf> leaves, List<Value> exits) {}

  /** A value on the way, the calls through which it was handed here, and its nearest name. */
  private record Stop(Value value, List<GraphNode> calls, String nearest) {}

  /**
   * Follows a value to its readers. Operators that ask for its shape only do not count.
   *
   * @throws UnsupportedException if there is no end of them
   */
  Reach reach(Value value) {
    return reach(List.of(new Stop(value, List.of(), value.name())));
  }

  /**
   * The readings to move to a copy with the stored layout, so that exactly the wanted readers see
   * it.
   *
   * @return empty if the wanted ones cannot be told from the others before a Transpose, Cast or
   *     call, or if the value lives in a function
   */
  Optional<List<Use>> split(Value root, Predicate<Reading> wanted) {
    if (root.scope().function().isPresent()) {
      return Optional.empty();
    }
    List<Use> moved = new ArrayList<>();
    List<Stop> level = List.of(new Stop(root, List.of(), root.name()));
    for (int depth = 0; !level.isEmpty(); depth++) {
      List<Stop> next = new ArrayList<>();
      for (Stop stop : level) {
        for (Use use : graph.uses(stop.value())) {
          Optional<Stop> through = through(stop, use);
          Reach reach = through.map(s -> reach(List.of(s))).orElseGet(() -> leaf(stop, use));
          boolean some = reach.leaves().stream().anyMatch(l -> wanted.test(l.reading()));
          boolean all = reach.leaves().stream().allMatch(l -> wanted.test(l.reading()));
          if (some && all && reach.exits().isEmpty()) {
            moved.add(use);
          } else if (some
              && through.isPresent()
              && use.node().operator().equals("Identity")
              && depth < MAX_DEPTH) {
            next.add(through.get());
          } else if (some) {
            return Optional.empty();
          }
        }
      }
      level = next;
    }
    return Optional.of(moved);
  }

  private Reach reach(List<Stop> from) {
    List<Leaf> leaves = new ArrayList<>();
    List<Value> exits = new ArrayList<>();
    Deque<Stop> open = new ArrayDeque<>(from);
    Set<List<Object>> seen = new HashSet<>();
    int inCalls = 0;
    while (!open.isEmpty()) {
      Stop stop = open.removeFirst();
      if (!seen.add(List.of(stop.value(), stop.calls()))) {
        continue;
      }
      if (graph.leaves(stop.value())) {
        exits.add(stop.value());
      }
      List<Use> uses = graph.uses(stop.value());
      inCalls += stop.calls().isEmpty() ? 0 : uses.size();
      count(uses.size(), inCalls);
      for (Use use : uses) {
        Optional<Stop> next = through(stop, use);
        next.ifPresentOrElse(open::addLast, () -> leaves.addAll(leaf(stop, use).leaves()));
      }
    }
    return new Reach(leaves, exits);
  }

  private void count(int uses, int inCalls) {
    steps += uses;
    if (steps > MAX_STEPS || inCalls > MAX_IN_CALLS) {
      throw new UnsupportedException(
          "%s: its weights are handed on in more than %d ways; inline its functions first"
              .formatted(graph.model().path(), MAX_IN_CALLS));
    }
  }

  private static Reach leaf(Stop stop, Use use) {
    boolean shapeOnly =
        use.node().operator().equals("Shape") || use.node().operator().equals("Size");
    return new Reach(
        shapeOnly ? List.of() : List.of(new Leaf(new Reading(use, stop.calls()), stop.nearest())),
        List.of());
  }

  /** What a transparent reader, or a call of a function, makes of the value. */
  private Optional<Stop> through(Stop stop, Use use) {
    GraphNode node = use.node();
    if (WeightTracer.isTransparent(node)) {
      return use.input() == 0
          ? node.output()
              .map(o -> new Stop(new Value(node.scope(), o), stop.calls(), nearest(stop, node, o)))
          : Optional.empty();
    }
    if (stop.calls().stream().anyMatch(c -> c.callee().equals(node.callee()))) {
      return Optional.empty();
    }
    return graph
        .function(node.callee())
        .flatMap(scope -> scope.inputAt(use.input()).map(name -> new Value(scope, name)))
        .map(formal -> new Stop(formal, inside(stop.calls(), node), stop.nearest()));
  }

  private static List<GraphNode> inside(List<GraphNode> calls, GraphNode call) {
    List<GraphNode> longer = new ArrayList<>();
    longer.add(call);
    longer.addAll(calls);
    return longer;
  }

  /** Exporters name an Identity's output after the parameter that it stands for. */
  private static String nearest(Stop stop, GraphNode node, String output) {
    boolean parameter =
        node.operator().equals("Identity")
            && node.scope().function().isEmpty()
            && output.indexOf('.') > 0
            && !output.startsWith("/");
    return parameter ? output : stop.nearest();
  }
}
