package dev.graft.match;

import dev.graft.graph.GraphNode;
import dev.graft.graph.ModelGraph;
import dev.graft.graph.Value;
import dev.graft.onnx.StoredTensor;
import dev.graft.onnx.proto.GraphProto;
import dev.graft.onnx.proto.TensorShapeProto;
import dev.graft.onnx.proto.TypeProto;
import dev.graft.onnx.proto.ValueInfoProto;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** How many dimensions the values of the main graph have, declared or plain to see. */
final class Ranks {

  /** Deeper than the way from any head back to something declared. */
  private static final int MAX_DEPTH = 256;

  private final ModelGraph graph;
  private @Nullable Map<String, TensorShapeProto> declared;
  private final Map<Value, Optional<Integer>> known = new HashMap<>();

  Ranks(ModelGraph graph) {
    this.graph = graph;
  }

  /** What the main graph declares of a value; few merges ask. */
  private @Nullable TensorShapeProto declared(Value value) {
    Map<String, TensorShapeProto> known = declared;
    if (known == null) {
      known = declared(graph.model().proto().getGraph());
      declared = known;
    }
    return value.scope() == graph.main() ? known.get(value.name()) : null;
  }

  private static Map<String, TensorShapeProto> declared(GraphProto main) {
    Map<String, TensorShapeProto> declared = new HashMap<>();
    List<ValueInfoProto> values = new ArrayList<>(main.getValueInfoList());
    values.addAll(main.getInputList());
    values.addAll(main.getOutputList());
    for (ValueInfoProto value : values) {
      TypeProto.Tensor type = value.getType().getTensorType();
      if (value.getType().hasTensorType() && type.hasShape()) {
        declared.put(value.getName(), type.getShape());
      }
    }
    return declared;
  }

  /** The number of dimensions. */
  Optional<Integer> of(Value value) {
    return of(value, 0);
  }

  /** The length of a dimension, counted from the last one, which is 1; 1 where there is none. */
  Optional<Long> length(Value value, int axis) {
    Optional<StoredTensor> stored = ModelGraph.stored(value);
    if (stored.isPresent()) {
      int rank = stored.get().shape().rank();
      return Optional.of(axis > rank ? 1L : stored.get().shape().dim(rank - axis));
    }
    TensorShapeProto shape = declared(value);
    if (shape == null) {
      return Optional.empty();
    }
    if (axis > shape.getDimCount()) {
      return Optional.of(1L);
    }
    TensorShapeProto.Dimension dim = shape.getDim(shape.getDimCount() - axis);
    return dim.hasDimValue() ? Optional.of(dim.getDimValue()) : Optional.empty();
  }

  private Optional<Integer> of(Value value, int depth) {
    Optional<Integer> before = known.get(value);
    if (before != null) {
      return before;
    }
    Optional<StoredTensor> stored = ModelGraph.stored(value);
    TensorShapeProto shape = declared(value);
    Optional<Integer> rank =
        stored.isPresent()
            ? stored.map(t -> t.shape().rank())
            : shape != null ? Optional.of(shape.getDimCount()) : computed(value, depth);
    known.put(value, rank);
    return rank;
  }

  private Optional<Integer> computed(Value value, int depth) {
    Optional<GraphNode> producer = value.scope().producer(value.name());
    if (depth > MAX_DEPTH || producer.isEmpty()) {
      return Optional.empty();
    }
    GraphNode node = producer.get();
    return switch (node.operator()) {
      case "Gemm", "com.microsoft.FusedGemm" -> Optional.of(2);
      case "Transpose" ->
          node.attribute("perm").map(p -> p.getIntsCount()).or(() -> input(node, 0, depth));
      case "MatMul",
          "Cast",
          "Identity",
          "Softmax",
          "LogSoftmax",
          "Relu",
          "Gelu",
          "Tanh",
          "Sigmoid",
          "Erf",
          "Dropout",
          "LayerNormalization",
          "SimplifiedLayerNormalization",
          "RMSNormalization",
          "com.microsoft.SkipLayerNormalization",
          "com.microsoft.SkipSimplifiedLayerNormalization",
          "com.microsoft.FastGelu",
          "com.microsoft.BiasGelu" ->
          input(node, 0, depth);
      case "Add", "Sub", "Mul", "Div" -> larger(node, depth);
      case "Gather" ->
          input(node, 0, depth).flatMap(d -> input(node, 1, depth).map(i -> d - 1 + i));
      default -> Optional.empty();
    };
  }

  private Optional<Integer> larger(GraphNode node, int depth) {
    return input(node, 0, depth).flatMap(a -> input(node, 1, depth).map(b -> Math.max(a, b)));
  }

  private Optional<Integer> input(GraphNode node, int input, int depth) {
    return node.input(input).flatMap(node.scope()::resolve).flatMap(v -> of(v, depth + 1));
  }
}
