package dev.graft.autodiff;

import dev.graft.onnx.Attributes;
import java.util.List;

/** Y = slices of X at index tuples; dX = dY added up there. */
final class GatherNdRule implements Rule {

  @Override
  public void apply(Differential d) {
    d.give(
        0,
        d.emit()
            .op(
                "com.microsoft.GatherNDGrad",
                List.of(d.emit().shapeOf(d.x(0)), d.x(1), d.dy()),
                Attributes.of("batch_dims", d.node().intAttribute("batch_dims", 0))));
  }
}
