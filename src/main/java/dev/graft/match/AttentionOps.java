package dev.graft.match;

import dev.graft.graph.GraphNode;

/** The fused attention operators, and which of their inputs is what. */
final class AttentionOps {

  private AttentionOps() {}

  /**
   * Whether the operator projects: its input 1 is the packed weight {@code [in, q + k + v]}, its
   * input 2 the packed bias.
   */
  static boolean projects(GraphNode node) {
    return switch (node.operator()) {
      case "com.microsoft.Attention", "com.microsoft.PackedAttention", "com.microsoft.QAttention" ->
          true;
      default -> false;
    };
  }

  /** Whether inputs 0, 1 and 2 are query, key and value. */
  static boolean takesProjected(GraphNode node) {
    return isGrouped(node) || isMultiHead(node) || node.operator().equals("Attention");
  }

  /**
   * Whether a product that is input 0 alone holds query, key and value in blocks, {@code num_heads}
   * and twice {@code kv_num_heads} of one size.
   */
  static boolean isGrouped(GraphNode node) {
    return switch (node.operator()) {
      case "com.microsoft.GroupQueryAttention",
          "com.microsoft.SparseAttention",
          "com.microsoft.PagedAttention" ->
          true;
      default -> false;
    };
  }

  /**
   * Whether a product that is input 0 alone holds query, key and value head by head. Input 3 is
   * their packed bias, in blocks.
   */
  static boolean isMultiHead(GraphNode node) {
    return switch (node.operator()) {
      case "com.microsoft.MultiHeadAttention", "com.microsoft.DecoderMaskedMultiHeadAttention" ->
          true;
      default -> false;
    };
  }

  /** Whether an input of one of these operators takes a product that holds all three. */
  static boolean isPacked(GraphNode node, int input) {
    return input == 0 && node.input(1).isEmpty() && node.input(2).isEmpty();
  }
}
