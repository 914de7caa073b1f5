package dev.graft.autodiff;

import dev.graft.autodiff.Part.Range;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.LongStream;

/**
 * Y = a range of X; dX = dY within the range, 0 outside. Where one axis is cut at fixed places, the
 * zeros are left to whoever sums: two halves, as rotary positions take them, make one Concat.
 */
final class SliceRule implements Rule {

  @Override
  public void apply(Differential d) {
    Optional<List<Cut>> cuts = Cut.of(d.node());
    Facts x = d.node().facts(0);
    if (cuts.isPresent()) {
      List<Cut> real =
          cuts.get().stream().filter(c -> !c.isWhole(x.dim(c.axis()).orElseThrow())).toList();
      if (real.isEmpty()) {
        d.give(0, d.dy());
        return;
      }
      Dim whole = x.dim(real.getFirst().axis()).orElseThrow();
      Optional<long[]> bounds = real.getFirst().bounds(whole);
      if (real.size() == 1 && bounds.isPresent()) {
        int axis = real.getFirst().axis();
        d.give(0, new Range(d.dy(), axis, bounds.get()[0], bounds.get()[1]));
        return;
      }
    }
    if (d.node()
        .facts(4)
        .numbers()
        .filter(n -> LongStream.of(n).anyMatch(v -> v < 0))
        .isPresent()) {
      throw d.refused("it walks an axis backwards, which the runtime's SliceGrad cannot");
    }
    List<String> inputs = new ArrayList<>(List.of(d.dy(), d.emit().shapeOf(d.x(0))));
    for (int i = 1; i < d.node().inputs(); i++) {
      inputs.add(d.node().facts(i).numbers().map(n -> near(d, n)).orElse(d.x(i)));
    }
    d.give(0, d.emit().op("com.microsoft.SliceGrad", inputs));
  }

  /** The kernel wants places that fit in 32 bits, where exporters write the ends of 64. */
  private static String near(Differential d, long[] places) {
    return d.emit()
        .vector(
            LongStream.of(places)
                .map(place -> Math.clamp(place, -Integer.MAX_VALUE, Integer.MAX_VALUE))
                .toArray());
  }
}
