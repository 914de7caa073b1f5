package dev.graft.train;

import dev.graft.error.UnsupportedException;
import dev.graft.onnx.proto.AttributeProto;
import dev.graft.onnx.proto.NodeProto;
import dev.graft.onnx.proto.TensorProto;
import dev.graft.tensor.DType;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;

/**
 * Takes out of logits {@code [batch, length, classes]} the rows that have a label, as {@code [rows,
 * classes]}, and lets nothing else go through the head: the rows are taken before the head's
 * product and before everything behind it that works on each row for itself.
 *
 * <pre>
 * before:  logits = head(x)                 rows = Gather(Reshape(logits, [-1, classes]), places)
 * after:   rows = head(Gather(Reshape(x, [-1, width]), places))
 * </pre>
 */
final class LabelledRows {

  private static final Set<String> OF_ONE = Set.of("Cast", "Identity", "Tanh", "Neg");
  private static final Set<String> OF_TWO = Set.of("Add", "Sub", "Mul", "Div");

  private final GraphDraft graph;
  private final String places;
  private final Map<String, String> taken = new HashMap<>();

  /**
   * Prepares to take rows.
   *
   * @param places the value that holds the rows' places among batch · length, int64
   */
  LabelledRows(GraphDraft graph, String places) {
    this.graph = graph;
    this.places = places;
  }

  /**
   * The rows of a value.
   *
   * @param declaredWidth the length of its last axis where the graph itself does not tell
   * @throws UnsupportedException if the length of its last axis is not known
   */
  String of(String value, OptionalLong declaredWidth) {
    long width =
        width(value)
            .or(() ->
                declaredWidth.isPresent()
                    ? Optional.of(declaredWidth.getAsLong())
                    : Optional.empty())
            .orElseThrow(() ->
                new UnsupportedException(
                    "output '%s': the length of its last axis is not known, so rows cannot be taken from it"
                        .formatted(value)));
    return rows(value, width);
  }

  private String rows(String value, long width) {
    String known = taken.get(value);
    if (known == null) {
      known =
          graph
              .producer(value)
              .flatMap(node -> through(node, width))
              .orElseGet(() -> gather(value, width));
      taken.put(value, known);
    }
    return known;
  }

  /** The node on rows alone, if it works on each row for itself. */
  private Optional<String> through(NodeProto node, long width) {
    if (!node.getDomain().isEmpty() && !node.getDomain().equals("ai.onnx")) {
      return Optional.empty();
    }
    if (OF_ONE.contains(node.getOpType())) {
      return Optional.of(copy(node, List.of(rows(node.getInput(0), width))));
    }
    if (node.getOpType().equals("MatMul")) {
      return matrix(node.getInput(1))
          .map(weight -> copy(node, List.of(rows(node.getInput(0), weight[0]), node.getInput(1))));
    }
    return OF_TWO.contains(node.getOpType()) ? ofTwo(node, width) : Optional.empty();
  }

  private Optional<String> ofTwo(NodeProto node, long width) {
    String left = node.getInput(0);
    String right = node.getInput(1);
    if (isForEveryRow(right)) {
      return Optional.of(copy(node, List.of(rows(left, width), right)));
    }
    if (isForEveryRow(left)) {
      return Optional.of(copy(node, List.of(left, rows(right, width))));
    }
    boolean alike =
        width(left).equals(Optional.of(width)) && width(right).equals(Optional.of(width));
    return alike
        ? Optional.of(copy(node, List.of(rows(left, width), rows(right, width))))
        : Optional.empty();
  }

  /** Whether a value is the same for every row: a scalar or a vector that is stored. */
  private boolean isForEveryRow(String value) {
    return dims(value).filter(dims -> dims.length <= 1).isPresent();
  }

  private Optional<long[]> matrix(String value) {
    return dims(value).filter(dims -> dims.length == 2);
  }

  /** The dimensions of a stored tensor, also behind a transposition or a change of type. */
  private Optional<long[]> dims(String value) {
    Optional<TensorProto> stored = graph.initializer(value);
    if (stored.isPresent()) {
      return stored.map(LabelledRows::dims);
    }
    Optional<NodeProto> producer = graph.producer(value);
    return switch (producer.map(NodeProto::getOpType).orElse("")) {
      case "Cast", "Identity" -> dims(producer.orElseThrow().getInput(0));
      case "Constant" ->
          producer.orElseThrow().getAttributeList().stream()
              .filter(AttributeProto::hasT)
              .findFirst()
              .map(attribute -> dims(attribute.getT()));
      case "Transpose" ->
          dims(producer.orElseThrow().getInput(0))
              .filter(dims -> dims.length == 2 && isSwap(producer.orElseThrow()))
              .map(dims -> new long[] {dims[1], dims[0]});
      default -> Optional.empty();
    };
  }

  private static boolean isSwap(NodeProto transpose) {
    return transpose.getAttributeList().stream()
        .filter(attribute -> attribute.getName().equals("perm"))
        .allMatch(attribute -> attribute.getIntsList().equals(List.of(1L, 0L)));
  }

  private static long[] dims(TensorProto tensor) {
    return tensor.getDimsList().stream().mapToLong(Long::longValue).toArray();
  }

  /** The length of a value's last axis, where a product with a stored matrix decides it. */
  private Optional<Long> width(String value) {
    Optional<NodeProto> producer = graph.producer(value);
    if (producer.isEmpty()) {
      return Optional.empty();
    }
    NodeProto node = producer.get();
    if (node.getOpType().equals("MatMul")) {
      return matrix(node.getInput(1)).map(dims -> dims[1]);
    }
    if (OF_ONE.contains(node.getOpType())) {
      return width(node.getInput(0));
    }
    return OF_TWO.contains(node.getOpType())
        ? width(node.getInput(0)).or(() -> width(node.getInput(1)))
        : Optional.empty();
  }

  private String copy(NodeProto node, List<String> inputs) {
    String output = graph.fresh(node.getOutput(0) + "_of_labelled");
    graph.add(
        node.toBuilder()
            .setName(graph.fresh(node.getName() + "/labelled"))
            .clearInput()
            .addAllInput(inputs)
            .setOutput(0, output)
            .build());
    return output;
  }

  private String gather(String value, long width) {
    String shape = graph.fresh("loss/rows_shape");
    graph.add(
        TensorProto.newBuilder()
            .setName(shape)
            .setDataType(DType.INT64.onnxCode())
            .addDims(2)
            .addInt64Data(-1)
            .addInt64Data(width)
            .build());
    String flat = graph.fresh("loss/rows");
    graph.add(
        NodeProto.newBuilder()
            .setName(graph.fresh("loss/Reshape"))
            .setOpType("Reshape")
            .addInput(value)
            .addInput(shape)
            .addOutput(flat)
            .build());
    String rows = graph.fresh("loss/labelled_rows");
    graph.add(
        NodeProto.newBuilder()
            .setName(graph.fresh("loss/Gather"))
            .setOpType("Gather")
            .addInput(flat)
            .addInput(places)
            .addOutput(rows)
            .build());
    return rows;
  }
}
