package dev.graft.autodiff;

import dev.graft.autodiff.Part.Range;
import dev.graft.onnx.Attributes;
import java.util.List;
import java.util.Optional;

/**
 * Y = X at indices along an axis; dX = dY added up at the indices, 0 elsewhere. A single fixed
 * index is a range of length 1.
 */
final class GatherRule implements Rule {

  @Override
  public void apply(Differential d) {
    int axis = d.node().axis(0, d.rank(0));
    Optional<long[]> fixed = d.node().facts(1).numbers().filter(n -> n.length == 1);
    Optional<Dim> length = d.node().facts(0).dim(axis).filter(Dim::isConstant);
    if (fixed.isPresent() && length.isPresent()) {
      boolean keepsAxis = d.node().facts(1).rank().orElseThrow() == 1;
      long index = fixed.get()[0] < 0 ? fixed.get()[0] + length.get().value() : fixed.get()[0];
      String dy = keepsAxis ? d.dy() : d.emit().unsqueeze(d.dy(), axis);
      d.give(0, new Range(dy, axis, index, index + 1));
      return;
    }
    d.give(
        0,
        d.emit()
            .op(
                "com.microsoft.GatherGrad",
                List.of(d.emit().shapeOf(d.x(0)), d.x(1), d.dy()),
                Attributes.of("axis", (long) axis)));
  }
}
