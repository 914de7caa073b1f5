package dev.graft.inject;

import dev.graft.graph.GraphNode;
import dev.graft.match.Layout;
import dev.graft.match.Reading;

/** How a branch is put beside an operator. */
enum BranchForm {
  /** {@code x·W}: the operator's left input goes through A and B as well. */
  RIGHT_FACTOR,
  /** {@code W·x}: the operator's right input does. */
  LEFT_FACTOR,
  /** Rows of a table: the same rows of A go through B. */
  LOOKUP,
  /** A convolution: one with A's kernel, then one with B's point. */
  CONVOLUTION,
  /** The operator hides its product, so s·B·A goes onto the weight before the operator reads it. */
  ON_WEIGHT;

  static BranchForm of(Reading reading) {
    GraphNode node = reading.node();
    boolean isLeft = reading.use().input() == 0;
    return switch (node.operator()) {
      case "MatMul", "Gemm" -> isLeft ? LEFT_FACTOR : RIGHT_FACTOR;
      case "MatMulInteger", "com.microsoft.MatMulNBits", "com.microsoft.DynamicQuantizeMatMul" ->
          RIGHT_FACTOR;
      case "com.microsoft.FusedMatMul", "com.microsoft.TransposeMatMul" ->
          turnsOther(node, isLeft) ? ON_WEIGHT : isLeft ? LEFT_FACTOR : RIGHT_FACTOR;
      case "Gather" -> LOOKUP;
      case "Conv" -> CONVOLUTION;
      default -> ON_WEIGHT;
    };
  }

  /** How an operator wants the weight, before its own attributes turn it. */
  static Layout layoutAt(Reading reading) {
    GraphNode node = reading.node();
    boolean isLeft = reading.use().input() == 0;
    return switch (node.operator()) {
      case "Slice", "Split", "Conv" -> Layout.OUT_IN;
      case "Gemm",
          "com.microsoft.FusedGemm",
          "com.microsoft.FusedMatMul",
          "com.microsoft.TransposeMatMul" -> {
        boolean turned = node.intAttribute(isLeft ? "transA" : "transB", 0) != 0;
        yield isLeft == turned ? Layout.IN_OUT : Layout.OUT_IN;
      }
      case "MatMul" -> isLeft ? Layout.OUT_IN : Layout.IN_OUT;
      // Of a table the rows are A's inputs.
      default -> Layout.IN_OUT;
    };
  }

  /** Whether the operator turns what it multiplies with the weight, in a way of its own. */
  private static boolean turnsOther(GraphNode node, boolean isLeft) {
    return node.intAttribute(isLeft ? "transB" : "transA", 0) != 0
        || node.intAttribute("transBatchA", 0) != 0
        || node.intAttribute("transBatchB", 0) != 0;
  }
}
