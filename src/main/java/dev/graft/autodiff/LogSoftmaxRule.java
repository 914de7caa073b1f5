package dev.graft.autodiff;

import dev.graft.autodiff.Part.Picked;
import dev.graft.onnx.Attributes;
import java.util.List;

/**
 * Y = X − ln Σ exp X over an axis.
 *
 * <p>dX = dY − exp(Y) · Σ dY. Where one element of each row was picked, as a cross entropy picks
 * the label's, dY is p at that element and Σ dY = p, so that dX = −p·exp(Y) with p added at the
 * element: nothing as large as the logits is made of zeros first.
 */
final class LogSoftmaxRule implements Rule {

  /** Since then ScatterElements can add. */
  private static final int SCATTER_ADDS = 16;

  @Override
  public void apply(Differential d) {
    Emitter emit = d.emit();
    List<Integer> axes = SoftmaxRule.axes(d);
    if (axes.size() == 1
        && d.parts().size() == 1
        && d.parts().getFirst() instanceof Picked picked
        && isOnePerRow(d, picked, axes.getFirst())) {
      String minus = emit.op("Neg", picked.value());
      String product = emit.mul(emit.op("Exp", d.y()), minus);
      d.give(
          0,
          emit.op(
              "ScatterElements",
              List.of(product, picked.indices(), picked.value()),
              Attributes.of("axis", (long) picked.axis()),
              Attributes.of("reduction", "add")));
      return;
    }
    String sum = emit.sumKept(d.dy(), axes);
    d.give(0, emit.sub(d.dy(), emit.mul(emit.op("Exp", d.y()), sum)));
  }

  /** Whether just one element was picked along the axis, and in every row of it. */
  private static boolean isOnePerRow(Differential d, Picked picked, int axis) {
    Facts indices = d.emit().draft().facts(picked.indices());
    Facts x = d.node().facts(0);
    if (picked.axis() != axis
        || d.emit().draft().opset() < SCATTER_ADDS
        || indices.dims().isEmpty()
        || x.dims().isEmpty()
        || !indices.dim(axis).filter(length -> length.is(1)).isPresent()) {
      return false;
    }
    for (int i = 0; i < x.dims().get().size(); i++) {
      if (i != axis && !x.dim(i).equals(indices.dim(i))) {
        return false;
      }
    }
    return true;
  }
}
