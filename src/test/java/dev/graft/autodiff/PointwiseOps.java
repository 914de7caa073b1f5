package dev.graft.autodiff;

import dev.graft.autodiff.Interpreter.Op;
import java.util.List;
import java.util.Map;
import java.util.function.DoubleBinaryOperator;
import java.util.function.DoubleUnaryOperator;

/** Operators that work element by element. */
final class PointwiseOps {

  private static final double TANH_SCALE = Math.sqrt(2 / Math.PI);
  private static final double TANH_CUBE = 0.044715;

  private PointwiseOps() {}

  static void addTo(Map<String, Op> ops) {
    one(ops, "Identity", x -> x);
    one(ops, "Neg", x -> -x);
    one(ops, "Sqrt", Math::sqrt);
    one(ops, "Reciprocal", x -> 1 / x);
    one(ops, "Exp", Math::exp);
    one(ops, "Log", Math::log);
    one(ops, "Abs", Math::abs);
    one(ops, "Sign", Math::signum);
    one(ops, "Sin", Math::sin);
    one(ops, "Cos", Math::cos);
    one(ops, "Erf", PointwiseOps::erf);
    one(ops, "Tanh", Math::tanh);
    one(ops, "Sigmoid", PointwiseOps::sigmoid);
    one(ops, "Softplus", x -> Math.log1p(Math.exp(x)));
    one(ops, "Relu", x -> Math.max(x, 0));
    one(ops, "com.microsoft.Gelu", x -> x * normal(x));
    one(ops, "com.microsoft.FastGelu", PointwiseOps::fastGelu);
    many(ops, "Add", Double::sum);
    many(ops, "Sum", Double::sum);
    many(ops, "Sub", (a, b) -> a - b);
    many(ops, "Mul", (a, b) -> a * b);
    many(ops, "Div", (a, b) -> a / b);
    many(ops, "Pow", Math::pow);
    many(ops, "Max", Math::max);
    many(ops, "Min", Math::min);
    many(ops, "Equal", (a, b) -> a == b ? 1 : 0);
    many(ops, "Greater", (a, b) -> a > b ? 1 : 0);
    many(ops, "Less", (a, b) -> a < b ? 1 : 0);
    many(ops, "com.microsoft.GeluGrad", (dy, x) -> dy * (normal(x) + x * density(x)));
    many(ops, "com.microsoft.FastGeluGrad", (dy, x) -> dy * fastGeluSlope(x));
    ops.put("Cast", (node, in) -> List.of(cast(node, in.getFirst())));
    ops.put("CastLike", (_, in) -> List.of(in.getFirst()));
    ops.put("Clip", (_, in) -> List.of(clip(in)));
    ops.put("Where", (_, in) -> List.of(where(in)));
    ops.put("Dropout", (_, in) -> List.of(in.getFirst(), in.getFirst().map(_ -> 1)));
    ops.put(
        "com.microsoft.QuickGelu",
        (node, in) -> {
          double alpha = node.floatAttribute("alpha", 1.702f);
          return List.of(in.getFirst().map(x -> x * sigmoid(alpha * x)));
        });
    ops.put(
        "com.microsoft.QuickGeluGrad",
        (node, in) -> {
          double alpha = node.floatAttribute("alpha", 1.702f);
          return List.of(
              in.get(0)
                  .with(
                      in.get(1),
                      (dy, x) -> {
                        double s = sigmoid(alpha * x);
                        return dy * s * (1 + alpha * x * (1 - s));
                      }));
        });
  }

  private static void one(Map<String, Op> ops, String name, DoubleUnaryOperator function) {
    ops.put(name, (_, in) -> List.of(in.getFirst().map(function)));
  }

  private static void many(Map<String, Op> ops, String name, DoubleBinaryOperator function) {
    ops.put(
        name, (_, in) -> List.of(in.stream().reduce((a, b) -> a.with(b, function)).orElseThrow()));
  }

  private static Doubles cast(OpNode node, Doubles x) {
    return switch ((int) node.intAttribute("to", 0)) {
      case 1, 10, 11, 16 -> x;
      case 9 -> x.map(v -> v == 0 ? 0 : 1);
      default -> x.map(v -> (double) (long) v);
    };
  }

  private static Doubles clip(List<Doubles> in) {
    Doubles result = in.getFirst();
    if (in.size() > 1 && !Double.isNaN(in.get(1).values()[0])) {
      result = result.with(in.get(1), Math::max);
    }
    return in.size() > 2 ? result.with(in.get(2), Math::min) : result;
  }

  private static Doubles where(List<Doubles> in) {
    int[] shape =
        Doubles.broadcastShape(
            in.get(0).shape(), Doubles.broadcastShape(in.get(1).shape(), in.get(2).shape()));
    Doubles result = Doubles.zeros(shape);
    for (int i = 0; i < result.values().length; i++) {
      int[] places = Doubles.places(shape, i);
      Doubles from = in.get(0).broadcast(places) != 0 ? in.get(1) : in.get(2);
      result.values()[i] = from.broadcast(places);
    }
    return result;
  }

  static double sigmoid(double x) {
    return 1 / (1 + Math.exp(-x));
  }

  static double normal(double x) {
    return 0.5 * (1 + erf(x / Math.sqrt(2)));
  }

  static double density(double x) {
    return Math.exp(-x * x / 2) / Math.sqrt(2 * Math.PI);
  }

  static double fastGelu(double x) {
    return 0.5 * x * (1 + Math.tanh(TANH_SCALE * (x + TANH_CUBE * x * x * x)));
  }

  private static double fastGeluSlope(double x) {
    double t = Math.tanh(TANH_SCALE * (x + TANH_CUBE * x * x * x));
    return 0.5 * (1 + t) + 0.5 * x * (1 - t * t) * TANH_SCALE * (1 + 3 * TANH_CUBE * x * x);
  }

  /** By its series near 0 and by a continued fraction further out; exact to 1e-15 or so. */
  static double erf(double x) {
    double a = Math.abs(x);
    if (a < 3) {
      double term = a;
      double sum = a;
      for (int n = 1; n < 100; n++) {
        term *= -a * a / n;
        sum += term / (2 * n + 1);
      }
      return Math.signum(x) * 2 / Math.sqrt(Math.PI) * sum;
    }
    double fraction = a;
    for (int n = 60; n > 0; n--) {
      fraction = a + n / 2.0 / fraction;
    }
    return Math.signum(x) * (1 - Math.exp(-a * a) / Math.sqrt(Math.PI) / fraction);
  }
}
