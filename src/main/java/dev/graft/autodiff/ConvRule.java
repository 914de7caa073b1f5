package dev.graft.autodiff;

import dev.graft.onnx.proto.AttributeProto;
import java.util.ArrayList;
import java.util.List;

/**
 * Y = X ∗ W + bias; dX, dW and dBias by the runtime's ConvGrad with the node's own strides, pads,
 * dilations and groups.
 */
final class ConvRule implements Rule {

  @Override
  public void apply(Differential d) {
    if (!d.node().textAttribute("auto_pad", "NOTSET").equals("NOTSET")) {
      throw d.refused("its padding is automatic; export the model with explicit pads");
    }
    int outputs = d.node().hasInput(2) ? 3 : 2;
    AttributeProto[] attributes =
        d.node().proto().getAttributeList().toArray(AttributeProto[]::new);
    List<String> gradients =
        new ArrayList<>(
            d.emit()
                .ops(
                    "com.microsoft.ConvGrad",
                    List.of(d.dy(), d.x(0), d.x(1)),
                    outputs,
                    attributes));
    for (int i = 0; i < outputs; i++) {
      if (d.wants(i)) {
        d.give(i, gradients.get(i));
      }
    }
  }
}
