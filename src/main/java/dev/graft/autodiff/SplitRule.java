package dev.graft.autodiff;

import dev.graft.autodiff.Part.Range;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Y₁, Y₂, … = X cut along an axis; dX = dY₁, dY₂, … joined, with 0 where no gradient came. */
final class SplitRule implements Rule {

  @Override
  public void apply(Differential d) {
    int axis = d.node().axis(0, d.rank(0));
    int parts = d.node().proto().getOutputCount();
    Optional<long[]> lengths = MovementShapes.splitLengths(d.node());
    if (lengths.isEmpty() || d.node().facts(0).dim(axis).filter(Dim::isConstant).isEmpty()) {
      List<String> all = new ArrayList<>();
      for (int i = 0; i < parts; i++) {
        boolean isNamed = d.node().hasOutput(i);
        if (!isNamed) {
          throw d.refused("the lengths of its parts are known at run time only");
        }
        all.add(d.has(i) ? d.dy(i) : new Zeros(d.emit()).like(d.node().proto().getOutput(i)));
      }
      d.give(0, d.emit().concat(axis, all));
      return;
    }
    long start = 0;
    for (int i = 0; i < parts; i++) {
      long end = start + lengths.get()[i];
      if (d.has(i)) {
        d.give(0, new Range(d.dy(i), axis, start, end));
      }
      start = end;
    }
  }
}
