package dev.graft.autodiff;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * ½ · X · (1 + erf(X / √2)) is Gelu, and ½ · X · (1 + tanh(√(2/π) · (X + 0.044715 · X³))) is
 * FastGelu, whatever the order of the factors.
 */
final class GeluFusion implements Fusion {

  @Override
  public boolean apply(OpNode node, Emitter emit) {
    if (!node.operator().equals("Mul")) {
      return false;
    }
    Pattern pattern = new Pattern(node.draft());
    List<String> factors = new ArrayList<>(pattern.factors(node));
    Optional<String> half = factors.stream().filter(f -> pattern.isNumber(f, 0.5)).findFirst();
    if (factors.size() != 3 || half.isEmpty()) {
      return false;
    }
    factors.remove(half.get());
    for (int i = 0; i < 2; i++) {
      Optional<String> operator = operator(pattern, factors.get(i), factors.get(1 - i));
      if (operator.isPresent()) {
        String result = emit.op(operator.get(), factors.get(1 - i));
        emit.alias(result, node.proto().getOutput(0));
        return true;
      }
    }
    return false;
  }

  /** Which function has the factor that is one more than the erf or tanh of something of x. */
  private static Optional<String> operator(Pattern pattern, String factor, String x) {
    Optional<String> inner = pattern.made(factor, "Add").flatMap(add -> pattern.besides(add, 1));
    if (inner
        .flatMap(v -> pattern.made(v, "Erf"))
        .filter(erf -> isScaled(pattern, erf.input(0), x))
        .isPresent()) {
      return Optional.of("com.microsoft.Gelu");
    }
    return inner
        .flatMap(v -> pattern.made(v, "Tanh"))
        .filter(tanh -> isCubic(pattern, tanh.input(0), x))
        .map(tanh -> "com.microsoft.FastGelu");
  }

  private static boolean isScaled(Pattern pattern, String value, String x) {
    Optional<String> divided =
        pattern
            .made(value, "Div")
            .filter(div -> pattern.isNumber(div.input(1), Math.sqrt(2)))
            .map(div -> div.input(0));
    Optional<String> multiplied =
        pattern.made(value, "Mul").flatMap(mul -> pattern.besides(mul, 1 / Math.sqrt(2)));
    return divided.or(() -> multiplied).filter(v -> pattern.isSame(v, x)).isPresent();
  }

  private static boolean isCubic(Pattern pattern, String value, String x) {
    return pattern
        .made(value, "Mul")
        .flatMap(mul -> pattern.besides(mul, Math.sqrt(2 / Math.PI)))
        .flatMap(sum -> pattern.made(sum, "Add"))
        .flatMap(add -> pattern.other(add, x))
        .flatMap(term -> pattern.made(term, "Mul"))
        .flatMap(mul -> pattern.besides(mul, 0.044715))
        .filter(cube -> isCube(pattern, cube, x))
        .isPresent();
  }

  private static boolean isCube(Pattern pattern, String value, String x) {
    boolean isPower =
        pattern
            .made(value, "Pow")
            .filter(pow -> pattern.isNumber(pow.input(1), 3) && pattern.isSame(pow.input(0), x))
            .isPresent();
    return isPower
        || pattern
            .made(value, "Mul")
            .flatMap(mul -> pattern.other(mul, x))
            .flatMap(pattern::squared)
            .filter(v -> pattern.isSame(v, x))
            .isPresent();
  }
}
