package dev.graft.autodiff;

import dev.graft.autodiff.Interpreter.Op;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/** Softmax and normalisations. */
final class NormOps {

  private static final int ONE_AXIS = 13;

  private NormOps() {}

  static void addTo(Map<String, Op> ops) {
    ops.put("Softmax", (node, in) -> List.of(logSoftmax(node, in.getFirst()).map(Math::exp)));
    ops.put("LogSoftmax", (node, in) -> List.of(logSoftmax(node, in.getFirst())));
    ops.put("LayerNormalization", NormOps::layerNorm);
    ops.put("SimplifiedLayerNormalization", NormOps::rmsNorm);
  }

  private static Doubles logSoftmax(OpNode node, Doubles x) {
    boolean isOne = node.draft().opset() >= ONE_AXIS;
    int axis = node.axis(isOne ? -1 : 1, x.rank());
    List<Integer> axes = isOne ? List.of(axis) : from(axis, x.rank());
    Doubles sum = ShapeOps.reduced(x, axes, v -> Math.log(Arrays.stream(v).map(Math::exp).sum()));
    return x.with(sum, (a, b) -> a - b);
  }

  private static List<Doubles> layerNorm(OpNode node, List<Doubles> in) {
    Doubles x = in.getFirst();
    List<Integer> axes = from(node.axis(-1, x.rank()), x.rank());
    Doubles mean = ShapeOps.reduced(x, axes, v -> Arrays.stream(v).average().orElseThrow());
    Doubles centred = x.with(mean, (a, b) -> a - b);
    Doubles r = inverse(node, centred, axes);
    Doubles y = centred.with(r, (a, b) -> a * b).with(in.get(1), (a, b) -> a * b);
    return List.of(in.size() > 2 ? y.with(in.get(2), Double::sum) : y, mean, r);
  }

  private static List<Doubles> rmsNorm(OpNode node, List<Doubles> in) {
    Doubles x = in.getFirst();
    Doubles r = inverse(node, x, from(node.axis(-1, x.rank()), x.rank()));
    return List.of(x.with(r, (a, b) -> a * b).with(in.get(1), (a, b) -> a * b), r);
  }

  private static Doubles inverse(OpNode node, Doubles x, List<Integer> axes) {
    double epsilon = node.floatAttribute("epsilon", 1e-5f);
    return ShapeOps.reduced(
        x,
        axes,
        v -> 1 / Math.sqrt(Arrays.stream(v).map(a -> a * a).average().orElseThrow() + epsilon));
  }

  private static List<Integer> from(int axis, int rank) {
    return IntStream.range(axis, rank).boxed().toList();
  }
}
