package dev.graft.autodiff;

import java.util.Optional;

/** Y = X with constants around it; dX = dY within. */
final class PadRule implements Rule {

  @Override
  public void apply(Differential d) {
    Optional<long[]> pads = d.node().facts(1).numbers();
    boolean isConstant = d.node().textAttribute("mode", "constant").equals("constant");
    if (pads.isEmpty() || !isConstant || d.node().hasInput(3)) {
      throw d.refused("its pads are known at run time only, or it repeats what stands at the edge");
    }
    int rank = pads.get().length / 2;
    long[] starts = new long[rank];
    long[] ends = new long[rank];
    for (int i = 0; i < rank; i++) {
      long before = pads.get()[i];
      long after = pads.get()[i + rank];
      if (before < 0 || after < 0) {
        throw d.refused("it cuts off instead of padding");
      }
      starts[i] = before;
      ends[i] = after == 0 ? Long.MAX_VALUE : -after;
    }
    d.give(0, d.emit().op("Slice", d.dy(), d.emit().vector(starts), d.emit().vector(ends)));
  }
}
