package dev.graft.autodiff;

import dev.graft.onnx.Attributes;
import java.util.List;

/** X · sigmoid(X) is QuickGelu with α = 1. */
final class SiluFusion implements Fusion {

  @Override
  public boolean apply(OpNode node, Emitter emit) {
    if (!node.operator().equals("Mul")) {
      return false;
    }
    Pattern pattern = new Pattern(node.draft());
    for (int i = 0; i < 2; i++) {
      String x = node.input(i);
      boolean isGate =
          pattern
              .made(node.input(1 - i), "Sigmoid")
              .filter(sigmoid -> pattern.isSame(sigmoid.input(0), x))
              .isPresent();
      if (isGate) {
        String result = emit.op("com.microsoft.QuickGelu", List.of(x), Attributes.of("alpha", 1f));
        emit.alias(result, node.proto().getOutput(0));
        return true;
      }
    }
    return false;
  }
}
