package dev.graft.autodiff;

import dev.graft.onnx.Attributes;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;

/** Y = X₁, X₂, … joined along an axis; each gets its part of dY. */
final class ConcatRule implements Rule {

  private static final int LENGTHS_AS_INPUT = 13;

  @Override
  public void apply(Differential d) {
    int axis = d.node().axis(0, d.rank(0));
    int inputs = d.node().inputs();
    if (others(d, axis)) {
      d.give(wanted(d), d.dy());
      return;
    }
    long[] lengths = new long[inputs];
    boolean isFixed = true;
    for (int i = 0; i < inputs; i++) {
      Dim length = d.node().facts(i).dim(axis).orElse(Dim.named("?"));
      isFixed &= length.isConstant();
      lengths[i] = length.isConstant() ? length.value() : 0;
    }
    List<String> parts = isFixed ? d.emit().split(d.dy(), axis, lengths) : atRunTime(d, axis);
    for (int i = 0; i < inputs; i++) {
      if (d.wants(i)) {
        d.give(i, parts.get(i));
      }
    }
  }

  /** Whether all inputs but one are empty, as past keys are when there is no past. */
  private static boolean others(Differential d, int axis) {
    return IntStream.range(0, d.node().inputs())
            .filter(i -> !d.node().facts(i).dim(axis).orElse(Dim.ONE).is(0))
            .count()
        == 1;
  }

  private static int wanted(Differential d) {
    return IntStream.range(0, d.node().inputs()).filter(d::wants).findFirst().orElseThrow();
  }

  private static List<String> atRunTime(Differential d, int axis) {
    Emitter emit = d.emit();
    if (emit.draft().opset() < LENGTHS_AS_INPUT) {
      throw d.refused("the lengths of its parts are known at run time only");
    }
    List<String> lengths = new ArrayList<>();
    for (int i = 0; i < d.node().inputs(); i++) {
      lengths.add(emit.op("Gather", emit.shapeOf(d.x(i)), emit.vector(axis)));
    }
    return emit.ops(
        "Split",
        List.of(d.dy(), emit.concat(0, lengths)),
        lengths.size(),
        Attributes.of("axis", (long) axis));
  }
}
