package dev.graft.match;

import dev.graft.graph.GraphNode;
import dev.graft.graph.Use;
import dev.graft.graph.Value;
import dev.graft.onnx.StoredTensor;
import java.util.List;
import java.util.function.Predicate;

/**
 * The way from an operator's input back to the stored weight.
 *
 * @param tensor the stored weight
 * @param hops the inputs read on the way with the values that they read: the operator's own first,
 *     then those of the Identity, Transpose, Cast and DequantizeLinear nodes and function calls
 *     between, the one that reads the stored value last
 */
record WeightPath(StoredTensor tensor, List<Hop> hops) {

  /** An input and the value that it reads. */
  record Hop(Use use, Value value) {}

  WeightPath {
    hops = List.copyOf(hops);
  }

  /** The value that holds the stored weight. */
  Value root() {
    return hops.getLast().value();
  }

  /** The values passed, the operator's own input first, the stored one last. */
  List<Value> values() {
    return hops.stream().map(Hop::value).toList();
  }

  /** Whether the operator sees the stored matrix the other way round. */
  boolean isTransposed() {
    return between().stream().filter(WeightTracer::turns).count() % 2 == 1;
  }

  /** Whether the operator sees rounded values. */
  boolean isQuantised() {
    return passes(n -> n.operator().endsWith("uantizeLinear"));
  }

  /** Whether such a node lies on the way. */
  boolean passes(Predicate<GraphNode> node) {
    return between().stream().anyMatch(node);
  }

  /** The calls passed, from the operator outwards. */
  List<GraphNode> calls() {
    return between().stream().filter(n -> !WeightTracer.isTransparent(n)).toList();
  }

  /** The operator's input with the calls that the weight is handed through. */
  Reading reading() {
    return new Reading(hops.getFirst().use(), calls());
  }

  private List<GraphNode> between() {
    return hops.stream().skip(1).map(h -> h.use().node()).toList();
  }
}
