package dev.graft.autodiff;

import dev.graft.onnx.Attributes;
import java.util.ArrayList;
import java.util.List;

/**
 * SkipLayerNormalization and its simplified form: norm(input + skip + bias). The sum is the node's
 * fourth output.
 */
final class SkipNormLowering implements Lowering {

  /** Where the sum comes out. */
  private static final int SUM = 3;

  private final String norm;
  private final int bias;

  /**
   * Makes the lowering of one of the two forms.
   *
   * @param norm the normalisation that is left
   * @param bias which input is the bias; those between gamma and it belong to the normalisation
   */
  SkipNormLowering(String norm, int bias) {
    this.norm = norm;
    this.bias = bias;
  }

  @Override
  public void apply(OpNode node, Emitter emit) {
    String sum = emit.add(node.input(0), node.input(1));
    if (node.hasInput(bias)) {
      sum = emit.add(sum, node.input(bias));
    }
    List<String> inputs = new ArrayList<>(List.of(sum, node.input(2)));
    if (bias > SUM && node.hasInput(SUM)) {
      inputs.add(node.input(SUM));
    }
    String result =
        emit.op(
            norm,
            inputs,
            Attributes.of("axis", -1L),
            Attributes.of("epsilon", node.floatAttribute("epsilon", 1e-12f)));
    emit.alias(result, node.proto().getOutput(0));
    if (node.hasOutput(SUM)) {
      emit.alias(sum, node.proto().getOutput(SUM));
    }
  }
}
