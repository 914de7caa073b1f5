package dev.graft.match;

import dev.graft.error.UnsupportedException;
import dev.graft.graph.GraphNode;
import dev.graft.graph.ModelGraph;
import dev.graft.graph.Scope.FunctionId;
import dev.graft.graph.Use;
import dev.graft.graph.Value;
import dev.graft.match.WeightPath.Hop;
import dev.graft.onnx.StoredTensor;
import dev.graft.onnx.proto.AttributeProto;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Optional;

/**
 * Walks from an operator's input back through Identity, Transpose, Cast and (De)QuantizeLinear to
 * the stored weight. A function's formal input is followed to every call.
 */
final class WeightTracer {

  private static final int MAX_HOPS = 32;

  /** Real files pass a few calls for each layer; functions that call each other need 2^n. */
  private static final int MAX_CALLS = 1 << 16;

  private static final int FEW_CALLS = 1 << 12;

  /** A weight that is handed into a function takes more than this for its name and its place. */
  private static final int BYTES_PER_CALL = 32;

  private final ModelGraph graph;
  private final int mostCalls;
  private int passedCalls;

  WeightTracer(ModelGraph graph) {
    this(graph, MAX_CALLS);
  }

  private WeightTracer(ModelGraph graph, int mostCalls) {
    this.graph = graph;
    this.mostCalls = mostCalls;
  }

  /**
   * A tracer that goes back from every operator once. The calls that it passes, each of which makes
   * a site, are in proportion to the file: a function with many operators and many calls would be
   * their product.
   */
  static WeightTracer ofAll(ModelGraph graph) {
    long most = FEW_CALLS + graph.model().fileLength() / BYTES_PER_CALL;
    return new WeightTracer(graph, (int) Math.min(most, MAX_CALLS));
  }

  /** Where a walk has come to. */
  private record Trail(List<Hop> hops, Use next) {
    boolean hasLeft(FunctionId function) {
      return hops.stream().skip(1).anyMatch(h -> h.use().node().callee().equals(function));
    }
  }

  /**
   * The ways to the weight, one for each chain of calls; empty if the input is computed from the
   * model's inputs.
   *
   * @throws UnsupportedException if functions call each other so often that there is no end of ways
   */
  List<WeightPath> trace(GraphNode node, int input) {
    List<WeightPath> paths = new ArrayList<>();
    Deque<Trail> open = new ArrayDeque<>(List.of(new Trail(List.of(), new Use(node, input))));
    while (!open.isEmpty()) {
      Trail trail = open.removeFirst();
      Use use = trail.next();
      Optional<Value> value = use.node().input(use.input()).flatMap(use.node().scope()::resolve);
      if (value.isEmpty() || trail.hops().size() == MAX_HOPS) {
        continue;
      }
      List<Hop> hops = new ArrayList<>(trail.hops());
      hops.add(new Hop(use, value.get()));
      Optional<StoredTensor> stored = ModelGraph.stored(value.get());
      if (stored.isPresent()) {
        paths.add(new WeightPath(stored.get(), hops));
      } else {
        before(value.get(), trail).forEach(next -> open.addLast(new Trail(hops, next)));
      }
    }
    return paths;
  }

  private List<Use> before(Value value, Trail trail) {
    Optional<GraphNode> producer = value.scope().producer(value.name());
    if (producer.isPresent()) {
      return producer.filter(WeightTracer::isTransparent).map(p -> new Use(p, 0)).stream().toList();
    }
    Optional<FunctionId> function = value.scope().function();
    Optional<Integer> formal = value.scope().input(value.name());
    if (formal.isEmpty() || function.isEmpty() || trail.hasLeft(function.get())) {
      return List.of();
    }
    List<GraphNode> calls = graph.calls(function.get());
    passedCalls += calls.size();
    if (passedCalls > mostCalls) {
      throw new UnsupportedException(
          "%s: its functions hand weights to each other in more than %d ways; inline them first"
              .formatted(graph.model().path(), mostCalls));
    }
    return calls.stream().map(call -> new Use(call, formal.get())).toList();
  }

  /** Whether a node hands on its first input, at most turned, cast or rounded. */
  static boolean isTransparent(GraphNode node) {
    if (node.hasReferringAttributes()) {
      return false;
    }
    return switch (node.operator()) {
      case "Identity",
          "DequantizeLinear",
          "QuantizeLinear",
          "com.microsoft.DequantizeLinear",
          "com.microsoft.QuantizeLinear" ->
          true;
      case "Cast" -> isFloat(node.intAttribute("to", 0));
      case "Transpose" -> turns(node) || permutation(node).equals(List.of(0L, 1L));
      default -> false;
    };
  }

  /** Whether a node exchanges the two axes of a matrix. */
  static boolean turns(GraphNode node) {
    if (!node.operator().equals("Transpose")) {
      return false;
    }
    List<Long> axes = permutation(node);
    return axes.isEmpty() || axes.equals(List.of(1L, 0L));
  }

  private static List<Long> permutation(GraphNode node) {
    return node.attribute("perm").map(AttributeProto::getIntsList).orElse(List.of());
  }

  private static boolean isFloat(long type) {
    return type == 1 || type == 10 || type == 11 || type == 16;
  }
}
