package dev.graft.inject;

import dev.graft.error.UnsupportedException;
import dev.graft.graph.GraphNode;
import dev.graft.graph.ModelGraph;
import dev.graft.graph.Use;
import dev.graft.graph.Value;
import dev.graft.match.Reading;
import dev.graft.onnx.StoredTensor;
import dev.graft.tensor.DType;
import java.util.List;
import java.util.Optional;

/**
 * Where a product comes out as floats, and what went into it as floats. For an operator on floats
 * that is the operator itself; one on integers has others around it that round and restore.
 *
 * @param node the node whose first output is the product
 * @param operand what is multiplied with the weight; of a table the ids
 * @param type the type of the product
 */
record Anchor(GraphNode node, String operand, DType type) {

  /**
   * Looks around an operator.
   *
   * @throws UnsupportedException if the product does not come out as floats in a way that is known
   */
  static Anchor of(ModelGraph graph, Reading reading) {
    GraphNode node = reading.node();
    return switch (node.operator()) {
      case "MatMulInteger" -> dynamic(graph, node);
      case "com.microsoft.MatMulNBits", "com.microsoft.DynamicQuantizeMatMul" ->
          new Anchor(node, node.input(0).orElseThrow(), scaleType(node));
      case "Gather" -> table(graph, reading);
      case "Conv" -> new Anchor(node, node.input(0).orElseThrow(), ComputeType.of(reading));
      default -> {
        int other = 1 - reading.use().input();
        String operand = node.input(Math.max(0, other)).orElseThrow();
        yield new Anchor(node, unrounded(node, operand), ComputeType.of(reading));
      }
    };
  }

  /** DynamicQuantizeLinear, MatMulInteger, Cast, Mul: the product is what the Mul makes. */
  private static Anchor dynamic(ModelGraph graph, GraphNode node) {
    Optional<String> operand =
        producer(node, 0)
            .filter(p -> p.operator().equals("DynamicQuantizeLinear"))
            .flatMap(p -> p.input(0));
    Optional<GraphNode> cast = reader(graph, node, "Cast");
    Optional<GraphNode> scaled = cast.flatMap(c -> reader(graph, c, "Mul"));
    if (operand.isEmpty() || scaled.isEmpty()) {
      throw unknown(node, "DynamicQuantizeLinear before and Cast and Mul behind it");
    }
    DType type = DType.ofOnnx((int) cast.get().intAttribute("to", 1)).orElse(DType.FLOAT32);
    return new Anchor(scaled.get(), operand.get(), type);
  }

  /** Rows of a quantised table are restored behind the look-up. */
  private static Anchor table(ModelGraph graph, Reading reading) {
    GraphNode node = reading.node();
    String ids = node.input(1).orElseThrow();
    DType type = ComputeType.of(reading);
    if (type.isFoldable()) {
      return new Anchor(node, ids, type);
    }
    GraphNode restored =
        reader(graph, node, "DequantizeLinear")
            .orElseThrow(() -> unknown(node, "a DequantizeLinear behind it"));
    return new Anchor(restored, ids, scaleType(restored));
  }

  /** The type of the scales, which is that of the result. */
  private static DType scaleType(GraphNode node) {
    int scale =
        switch (node.operator()) {
          case "DequantizeLinear" -> 1;
          default -> 2;
        };
    return node.input(scale)
        .flatMap(node.scope()::resolve)
        .flatMap(ModelGraph::stored)
        .map(StoredTensor::dtype)
        .filter(DType::isFoldable)
        .orElseThrow(() -> unknown(node, "stored float scales"));
  }

  /** What was rounded to get an operand, which a branch need not be. */
  private static String unrounded(GraphNode node, String operand) {
    return node.scope()
        .producer(operand)
        .filter(p -> p.operator().equals("DequantizeLinear"))
        .flatMap(p -> producer(p, 0))
        .filter(p -> p.operator().equals("QuantizeLinear"))
        .flatMap(p -> p.input(0))
        .orElse(operand);
  }

  private static Optional<GraphNode> producer(GraphNode node, int input) {
    return node.input(input).flatMap(node.scope()::producer);
  }

  /** The only reader of a node's output, if it is of a kind. */
  private static Optional<GraphNode> reader(ModelGraph graph, GraphNode node, String operator) {
    List<Use> uses =
        node.output().map(o -> graph.uses(new Value(node.scope(), o))).orElse(List.of());
    return uses.size() == 1
        ? Optional.of(uses.getFirst().node()).filter(n -> n.operator().equals(operator))
        : Optional.empty();
  }

  private static UnsupportedException unknown(GraphNode node, String expected) {
    return new UnsupportedException(
        "%s: no branch is known for it without %s; insert into the float model and quantise the result"
            .formatted(node, expected));
  }
}
