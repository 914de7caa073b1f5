package dev.graft.match;

import com.google.protobuf.InvalidProtocolBufferException;
import dev.graft.graph.GraphNode;
import dev.graft.graph.ModelGraph;
import dev.graft.graph.Value;
import dev.graft.io.InputFile;
import dev.graft.onnx.OnnxModel;
import dev.graft.onnx.StoredTensor;
import dev.graft.onnx.proto.AttributeProto;
import dev.graft.onnx.proto.TensorProto;
import dev.graft.tensor.DType;
import dev.graft.tensor.TensorSource;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Reads the few integers that tell an operator where to cut: sizes, starts, ends, axes. */
final class ConstantIntegers {

  private static final int MAX_VALUES = 16;
  private static final int MAX_MESSAGE_BYTES = 4096;
  private static final int MAX_RENAMINGS = 8;

  private final OnnxModel model;

  ConstantIntegers(OnnxModel model) {
    this.model = model;
  }

  /** The values of an input that is a stored constant of a few integers. */
  Optional<List<Long>> of(GraphNode node, int input) {
    return node.input(input).flatMap(node.scope()::resolve).flatMap(this::of);
  }

  private Optional<List<Long>> of(Value value) {
    Value at = value;
    for (int i = 0; i < MAX_RENAMINGS; i++) {
      Optional<StoredTensor> stored = ModelGraph.stored(at);
      if (stored.isPresent()) {
        return read(stored.get());
      }
      Optional<GraphNode> producer = at.scope().producer(at.name());
      Optional<List<Long>> attribute = producer.flatMap(ConstantIntegers::attribute);
      Optional<Value> before =
          producer
              .filter(p -> p.operator().equals("Identity"))
              .flatMap(p -> p.input(0).flatMap(p.scope()::resolve));
      if (attribute.isPresent() || before.isEmpty()) {
        return attribute;
      }
      at = before.get();
    }
    return Optional.empty();
  }

  private static Optional<List<Long>> attribute(GraphNode node) {
    if (!node.operator().equals("Constant")) {
      return Optional.empty();
    }
    return node.attribute("value_ints")
        .map(AttributeProto::getIntsList)
        .or(() -> node.attribute("value_int").map(a -> List.of(a.getI())));
  }

  private Optional<List<Long>> read(StoredTensor tensor) {
    Optional<DType> type = tensor.knownType().filter(t -> t == DType.INT64 || t == DType.INT32);
    if (type.isEmpty() || tensor.shape().elements() > MAX_VALUES) {
      return Optional.empty();
    }
    if (tensor.source().isEmpty()) {
      return typed(tensor);
    }
    TensorSource source = tensor.source().get();
    ByteBuffer bytes =
        ByteBuffer.wrap(bytes(source.file(), source.offset(), (int) tensor.bytes()))
            .order(ByteOrder.LITTLE_ENDIAN);
    List<Long> values = new ArrayList<>();
    while (bytes.hasRemaining()) {
      values.add(type.get() == DType.INT64 ? bytes.getLong() : bytes.getInt());
    }
    return Optional.of(List.copyOf(values));
  }

  private Optional<List<Long>> typed(StoredTensor tensor) {
    long from = tensor.span().bodyStart();
    long length = tensor.span().bodyEnd() - from;
    if (length > MAX_MESSAGE_BYTES) {
      return Optional.empty();
    }
    try {
      TensorProto proto = TensorProto.parseFrom(bytes(model.path(), from, (int) length));
      List<Long> values =
          tensor.dtype() == DType.INT64
              ? proto.getInt64DataList()
              : proto.getInt32DataList().stream().map(Integer::longValue).toList();
      return values.size() == tensor.shape().elements() ? Optional.of(values) : Optional.empty();
    } catch (InvalidProtocolBufferException e) {
      return Optional.empty();
    }
  }

  private byte[] bytes(Path path, long offset, int count) {
    byte[] bytes = new byte[count];
    try (InputFile file = model.openSource(path)) {
      file.readFully(MemorySegment.ofArray(bytes), offset);
    }
    return bytes;
  }
}
