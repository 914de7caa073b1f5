package dev.graft.autodiff;

import dev.graft.onnx.Attributes;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Brings a gradient to the shape of the value that it belongs to: sums over the axes along which
 * the value was broadcast. Where the shapes say which these are, the axes are fixed in the graph;
 * otherwise they are found when it runs.
 */
final class Broadcasts {

  private final Emitter emitter;

  Broadcasts(Emitter emitter) {
    this.emitter = emitter;
  }

  /**
   * Sums a gradient down.
   *
   * @param gradient of a shape that the target's was broadcast to
   * @param target the value whose gradient it becomes
   */
  String reduced(String gradient, String target) {
    Facts from = emitter.draft().facts(gradient);
    Facts to = emitter.draft().facts(target);
    if (from.dims().isEmpty() || to.dims().isEmpty()) {
      return reducedAtRunTime(gradient, target);
    }
    Optional<List<Integer>> axes = axes(from.dims().get(), to.dims().get());
    if (axes.isEmpty()) {
      return reducedAtRunTime(gradient, target);
    }
    return axes.get().isEmpty() ? gradient : summed(gradient, axes.get(), target);
  }

  /** The axes to sum over; empty where a length decides that is known at run time only. */
  private static Optional<List<Integer>> axes(List<Dim> from, List<Dim> to) {
    int lead = from.size() - to.size();
    List<Integer> axes = new ArrayList<>();
    for (int i = 0; i < from.size(); i++) {
      if (i < lead) {
        axes.add(i);
        continue;
      }
      Dim wide = from.get(i);
      Dim narrow = to.get(i - lead);
      if (wide.equals(narrow)) {
        continue;
      }
      if (!narrow.is(1)) {
        if (narrow.isConstant()) {
          continue;
        }
        return Optional.empty();
      }
      axes.add(i);
    }
    return Optional.of(axes);
  }

  private String summed(String gradient, List<Integer> axes, String target) {
    int lead = rank(gradient) - rank(target);
    if (axes.size() == lead && axes.stream().allMatch(a -> a < lead)) {
      return emitter.sumDropped(gradient, axes);
    }
    String kept = emitter.sumKept(gradient, axes);
    return lead == 0 ? kept : reshaped(kept, target);
  }

  private int rank(String value) {
    return emitter.draft().facts(value).rank().orElseThrow();
  }

  private String reducedAtRunTime(String gradient, String target) {
    String shape = emitter.shapeOf(target);
    List<String> axes =
        emitter.ops(
            "com.microsoft.BroadcastGradientArgs", List.of(shape, emitter.shapeOf(gradient)), 2);
    String sum =
        emitter.op(
            "com.microsoft.ReduceSumTraining",
            List.of(gradient, axes.getFirst()),
            Attributes.of("keepdims", 1L),
            Attributes.of("noop_with_empty_axes", 1L));
    String result = emitter.op("Reshape", sum, shape);
    emitter.draft().learn(result, emitter.draft().facts(target));
    return result;
  }

  /**
   * Gives a tensor the shape of another with as many elements. The shape is written into the graph
   * where it can be.
   */
  String reshaped(String gradient, String like) {
    Facts to = emitter.draft().facts(like);
    if (to.dims().isPresent() && emitter.draft().facts(gradient).dims().equals(to.dims())) {
      return gradient;
    }
    String value = emitter.unshaped(gradient);
    Optional<List<Dim>> from = emitter.draft().facts(value).dims();
    Optional<long[]> fixed = to.dims().flatMap(t -> target(from.orElse(List.of()), t));
    String result =
        fixed.isPresent()
            ? emitter.reshape(value, fixed.get())
            : emitter.op("Reshape", value, emitter.shapeOf(like));
    emitter.draft().learn(result, new Facts(to.type(), to.dims(), Optional.empty()));
    return result;
  }

  /** The input of a Reshape: 0 copies a length of its data, -1 is what is left. */
  private static Optional<long[]> target(List<Dim> from, List<Dim> to) {
    long[] shape = new long[to.size()];
    boolean isRestTaken = false;
    for (int i = 0; i < shape.length; i++) {
      Dim length = to.get(i);
      if (length.isConstant() && length.value() > 0) {
        shape[i] = length.value();
      } else if (i < from.size() && from.get(i).equals(length)) {
        shape[i] = 0;
      } else if (!isRestTaken && !length.isConstant()) {
        shape[i] = -1;
        isRestTaken = true;
      } else {
        return Optional.empty();
      }
    }
    return Optional.of(shape);
  }
}
