package dev.graft.match;

import dev.graft.graph.GraphNode;
import dev.graft.graph.Use;
import dev.graft.graph.Value;
import dev.graft.onnx.StoredTensor;
import java.util.ArrayList;
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
    boolean transposed = false;
    for (int i = 1; i < hops.size(); i++) {
      transposed ^= WeightTracer.turns(between(i));
    }
    return transposed;
  }

  /** Whether the operator sees rounded values. */
  boolean isQuantised() {
    return passes(n -> n.operator().endsWith("uantizeLinear"));
  }

  /** Whether such a node lies on the way. */
  boolean passes(Predicate<GraphNode> node) {
    for (int i = 1; i < hops.size(); i++) {
      if (node.test(between(i))) {
        return true;
      }
    }
    return false;
  }

  /** The calls passed, from the operator outwards. */
  List<GraphNode> calls() {
    List<GraphNode> calls = new ArrayList<>();
    for (int i = 1; i < hops.size(); i++) {
      if (!WeightTracer.isTransparent(between(i))) {
        calls.add(between(i));
      }
    }
    return calls;
  }

  /** The operator's input with the calls that the weight is handed through. */
  Reading reading() {
    return new Reading(hops.getFirst().use(), calls());
  }

  /** A node on the way, the one next to the operator being 1. */
  private GraphNode between(int hop) {
    return hops.get(hop).use().node();
  }
}
