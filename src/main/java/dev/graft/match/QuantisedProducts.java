package dev.graft.match;

import dev.graft.graph.GraphNode;
import dev.graft.tensor.Shape;

/** What is known of operators on quantised weights without restoring them. */
final class QuantisedProducts {

  private QuantisedProducts() {}

  /** How an operator wants its weight; those that pack it into bits count outputs first. */
  static Layout layout(GraphNode node) {
    return switch (node.operator()) {
      case "MatMulInteger",
          "com.microsoft.DynamicQuantizeMatMul",
          "com.microsoft.MatMulIntegerToFloat" ->
          Layout.IN_OUT;
      default -> Layout.OUT_IN;
    };
  }

  /** The dimensions that a weight stands for, in the layout that its operator wants. */
  static Shape shape(GraphNode node, Shape stored) {
    if (!node.operator().equals("com.microsoft.MatMulNBits")) {
      return stored;
    }
    long in = node.intAttribute("K", 0);
    long out = node.intAttribute("N", 0);
    return in > 0 && out > 0 && in < Integer.MAX_VALUE && out < Integer.MAX_VALUE
        ? Shape.of(out, in)
        : stored;
  }

  /** Whether the product leaves the operators as floats, so that another can be added to it. */
  static boolean isOpen(Site site) {
    return site.shape().rank() == 2
        && switch (site.node().operator()) {
          case "MatMul",
              "Gemm",
              "Gather",
              "com.microsoft.FusedMatMul",
              "com.microsoft.MatMulNBits",
              "MatMulInteger",
              "com.microsoft.DynamicQuantizeMatMul" ->
              true;
          default -> false;
        };
  }
}
