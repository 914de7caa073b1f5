package dev.graft.autodiff;

import dev.graft.onnx.Attributes;
import dev.graft.onnx.proto.AttributeProto;
import dev.graft.onnx.proto.NodeProto;
import dev.graft.tensor.DType;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Lets a graph of half-precision floats compute in float32: its weights stay as they are and are
 * cast where they are read, its own casts to halves become casts to float32. Gradients of halves
 * lose small terms, and the CPU computes in float32 anyhow.
 */
final class Widening {

  private final Draft draft;
  private final List<NodeProto> nodes = new ArrayList<>();
  private final Map<String, String> wide = new HashMap<>();

  private Widening(Draft draft) {
    this.draft = draft;
  }

  /** Widens a draft whose nodes are in order; nothing happens to one without halves. */
  static void apply(Draft draft) {
    Widening widening = new Widening(draft);
    List<NodeProto> before = List.copyOf(draft.nodes());
    before.forEach(widening::place);
    if (!widening.nodes.equals(before)) {
      draft.widen();
      draft.replaceNodes(widening.nodes);
      Inference inference = new Inference(draft);
      widening.nodes.forEach(inference::infer);
    }
  }

  private void place(NodeProto node) {
    NodeProto.Builder result = node.toBuilder();
    for (int i = 0; i < node.getInputCount(); i++) {
      String input = node.getInput(i);
      if (!input.isEmpty() && draft.isGiven(input) && isHalf(draft.facts(input).type())) {
        result.setInput(i, wide.computeIfAbsent(input, this::cast));
      }
    }
    boolean isHalfCast =
        OpNode.operator(node).equals("Cast") && isHalf(draft.facts(node.getOutput(0)).type());
    if (isHalfCast) {
      result.clearAttribute().addAttribute(toFloat());
    }
    boolean isHalfConstant =
        OpNode.operator(node).startsWith("Constant")
            && isHalf(draft.facts(node.getOutput(0)).type());
    if (isHalfConstant) {
      String half = draft.names().fresh(node.getOutput(0) + "/half");
      nodes.add(result.setOutput(0, half).build());
      nodes.add(castNode(half, node.getOutput(0)));
    } else {
      nodes.add(result.build());
    }
  }

  private String cast(String value) {
    String output = draft.names().fresh(value + "/float");
    nodes.add(castNode(value, output));
    return output;
  }

  private NodeProto castNode(String from, String to) {
    return NodeProto.newBuilder()
        .setName(draft.names().fresh(to + "/Cast"))
        .setOpType("Cast")
        .addInput(from)
        .addOutput(to)
        .addAttribute(toFloat())
        .build();
  }

  private static AttributeProto toFloat() {
    return Attributes.of("to", (long) DType.FLOAT32.onnxCode());
  }

  static boolean isHalf(Optional<DType> type) {
    return type.filter(t -> t == DType.FLOAT16 || t == DType.BFLOAT16).isPresent();
  }
}
