package dev.graft.inject;

import dev.graft.error.UnsupportedException;
import dev.graft.graph.GraphNode;
import dev.graft.graph.ModelGraph;
import dev.graft.graph.Value;
import dev.graft.match.Reading;
import dev.graft.onnx.StoredTensor;
import dev.graft.tensor.DType;
import java.util.List;
import java.util.Optional;

/** In which type an operator computes, told by the weight that it reads. */
final class ComputeType {

  private static final int MAX_HOPS = 64;

  private ComputeType() {}

  /**
   * The type of a weight as its operator sees it, behind Casts and the like.
   *
   * @throws UnsupportedException if it cannot be said
   */
  static DType of(Reading reading) {
    int call = 0;
    GraphNode node = reading.node();
    Optional<Value> value = value(node, reading.use().input());
    for (int hop = 0; hop < MAX_HOPS && value.isPresent(); hop++) {
      Optional<StoredTensor> stored = ModelGraph.stored(value.get());
      if (stored.isPresent()) {
        return stored.get().dtype();
      }
      Optional<GraphNode> producer = value.get().scope().producer(value.get().name());
      if (producer.isEmpty()) {
        Optional<Integer> formal = value.get().scope().input(value.get().name());
        List<GraphNode> calls = reading.calls();
        value =
            formal.isPresent() && call < calls.size()
                ? value(calls.get(call++), formal.get())
                : Optional.empty();
        continue;
      }
      Optional<DType> said = type(producer.get());
      if (said.isPresent()) {
        return said.get();
      }
      // The scale of a quantised weight has the type that it is restored to.
      boolean restores = producer.get().operator().endsWith("DequantizeLinear");
      value = value(producer.get(), restores ? 1 : 0);
    }
    throw new UnsupportedException(
        "%s: it cannot be said in which type it computes, so no branch can be put beside it"
            .formatted(node));
  }

  private static Optional<DType> type(GraphNode node) {
    return node.operator().equals("Cast")
        ? DType.ofOnnx(Math.toIntExact(node.intAttribute("to", 0)))
        : Optional.empty();
  }

  private static Optional<Value> value(GraphNode node, int input) {
    return node.input(input).flatMap(node.scope()::resolve);
  }
}
