package dev.graft.train;

import dev.graft.error.FormatException;
import dev.graft.onnx.proto.GraphProto;
import dev.graft.onnx.proto.ModelProto;
import dev.graft.onnx.proto.NodeProto;
import dev.graft.onnx.proto.TensorProto;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.OptionalLong;
import java.util.Set;

/**
 * How many tokens a model knows.
 *
 * @param tokens the length of the shortest table that token ids are looked up in; empty if none is
 *     a weight
 */
record Vocabulary(OptionalLong tokens) {

  private static final String IDS = "input_ids";
  private static final Set<String> SAME_IDS = Set.of("Cast", "Reshape", "Identity");

  /** Finds the tables that {@code input_ids}, in whatever type or shape, are looked up in. */
  static Vocabulary of(ModelProto model) {
    GraphProto graph = model.getGraph();
    Map<String, Long> lengths = new HashMap<>();
    for (TensorProto tensor : graph.getInitializerList()) {
      if (tensor.getDimsCount() == 2) {
        lengths.put(tensor.getName(), tensor.getDims(0));
      }
    }
    Set<String> ids = new HashSet<>(Set.of(IDS));
    OptionalLong least = OptionalLong.empty();
    for (NodeProto node : graph.getNodeList()) {
      if (SAME_IDS.contains(node.getOpType()) && ids.contains(node.getInput(0))) {
        ids.add(node.getOutput(0));
      }
      Long length = lengths.get(table(node, ids));
      if (length != null) {
        least = OptionalLong.of(Math.min(length, least.orElse(length)));
      }
    }
    return new Vocabulary(least);
  }

  private static String table(NodeProto node, Set<String> ids) {
    return switch (node.getOpType()) {
      case "Gather" -> ids.contains(node.getInput(1)) ? node.getInput(0) : "";
      case "EmbedLayerNormalization" -> ids.contains(node.getInput(0)) ? node.getInput(2) : "";
      default -> "";
    };
  }

  /**
   * Refuses rows with other tokens: ONNX Runtime would find them only when their batch comes.
   *
   * @throws FormatException if a row has a token that the model does not know
   */
  void require(Dataset rows) {
    if (tokens.isEmpty()) {
      return;
    }
    for (Row row : rows.rows()) {
      for (int i = 0; i < row.length(); i++) {
        if (row.inputIds()[i] >= tokens.getAsLong()) {
          throw new FormatException(
              "%s line %d: token %d at place %d is none of the model's %d tokens, 0 to %d; the rows were made with another tokenizer"
                  .formatted(
                      rows.file(),
                      row.line(),
                      row.inputIds()[i],
                      i,
                      tokens.getAsLong(),
                      tokens.getAsLong() - 1));
        }
      }
    }
  }
}
