package dev.graft.autodiff;

import dev.graft.onnx.Attributes;
import java.util.List;

/** ONNX's RMSNormalization as SimplifiedLayerNormalization, which gives the inverse root too. */
final class RmsNormLowering implements Lowering {

  @Override
  public void apply(OpNode node, Emitter emit) {
    String result =
        emit.op(
            "SimplifiedLayerNormalization",
            List.of(node.input(0), node.input(1)),
            Attributes.of("axis", node.intAttribute("axis", -1)),
            Attributes.of("epsilon", node.floatAttribute("epsilon", 1e-5f)));
    emit.alias(result, node.proto().getOutput(0));
  }
}
