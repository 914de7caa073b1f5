package dev.graft.match;

import dev.graft.graph.GraphNode;
import dev.graft.graph.ModelGraph;
import dev.graft.graph.Value;
import dev.graft.onnx.StoredTensor;
import dev.graft.onnx.proto.TensorProto;
import dev.graft.tensor.DType;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Short lists of integers that operators take as inputs: axes, lengths. */
final class StoredIntegers {

  private StoredIntegers() {}

  /** The integers of an input; empty if it is computed or not of type int64. */
  static Optional<List<Long>> at(GraphNode node, int input) {
    Optional<Value> value = node.input(input).flatMap(node.scope()::resolve);
    return value.flatMap(v ->
        ModelGraph.stored(v)
            .filter(t -> t.knownType().equals(Optional.of(DType.INT64)))
            .flatMap(StoredIntegers::of)
            .or(() -> ofAttribute(v)));
  }

  /** Small tensors are parsed with the model. */
  private static Optional<List<Long>> of(StoredTensor tensor) {
    TensorProto proto = tensor.proto();
    long count = tensor.shape().elements();
    if (proto.getInt64DataCount() == count && count > 0) {
      return Optional.of(List.copyOf(proto.getInt64DataList()));
    }
    if (proto.getRawData().size() != 8 * count) {
      return Optional.empty();
    }
    ByteBuffer raw = proto.getRawData().asReadOnlyByteBuffer().order(ByteOrder.LITTLE_ENDIAN);
    List<Long> integers = new ArrayList<>();
    while (raw.hasRemaining()) {
      integers.add(raw.getLong());
    }
    return Optional.of(integers);
  }

  /** A Constant may keep its integers in an attribute of their own. */
  private static Optional<List<Long>> ofAttribute(Value value) {
    Optional<GraphNode> constant =
        value.scope().producer(value.name()).filter(n -> n.operator().equals("Constant"));
    Optional<List<Long>> one =
        constant.flatMap(n -> n.attribute("value_int")).map(a -> List.of(a.getI()));
    return one.or(() ->
        constant.flatMap(n -> n.attribute("value_ints")).map(a -> List.copyOf(a.getIntsList())));
  }
}
