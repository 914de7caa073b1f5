package dev.graft.autodiff;

import dev.graft.onnx.Attributes;
import java.util.List;
import java.util.Optional;

/** (X − mean X) / √(mean (X − mean X)² + ε) · scale + bias is LayerNormalization. */
final class LayerNormFusion implements Fusion {

  @Override
  public boolean apply(OpNode node, Emitter emit) {
    if (!node.operator().equals("Add")) {
      return false;
    }
    Pattern pattern = new Pattern(node.draft());
    for (int i = 0; i < 2; i++) {
      Optional<OpNode> scaled = pattern.made(node.input(i), "Mul");
      if (scaled.isPresent() && fused(node, scaled.get(), node.input(1 - i), emit)) {
        return true;
      }
    }
    return false;
  }

  private static boolean fused(OpNode node, OpNode scaled, String bias, Emitter emit) {
    Pattern pattern = new Pattern(node.draft());
    for (int i = 0; i < 2; i++) {
      String scale = scaled.input(1 - i);
      Optional<OpNode> normal = pattern.made(scaled.input(i), "Div");
      Optional<Norm> norm = normal.flatMap(n -> norm(pattern, n));
      if (norm.isPresent()
          && pattern.isAlongLast(scale, norm.get().x())
          && pattern.isAlongLast(bias, norm.get().x())) {
        String result =
            emit.op(
                "LayerNormalization",
                List.of(norm.get().x(), scale, bias),
                Attributes.of("axis", -1L),
                Attributes.of("epsilon", (float) norm.get().epsilon()));
        emit.alias(result, node.proto().getOutput(0));
        return true;
      }
    }
    return false;
  }

  /**
   * What is normalised.
   *
   * @param x the tensor
   * @param epsilon what is added to the variance
   */
  record Norm(String x, double epsilon) {}

  private static Optional<Norm> norm(Pattern pattern, OpNode normal) {
    String centred = normal.input(0);
    Optional<Norm> spread =
        pattern.made(normal.input(1), "Sqrt").flatMap(root -> ofMeanSquare(pattern, root.input(0)));
    Optional<String> x = centred(pattern, centred);
    return spread
        .filter(s -> x.isPresent() && pattern.isSame(s.x(), centred))
        .map(s -> new Norm(x.orElseThrow(), s.epsilon()));
  }

  /** What a value is less its own mean. */
  static Optional<String> centred(Pattern pattern, String value) {
    return pattern
        .made(value, "Sub")
        .filter(sub ->
            pattern.mean(sub.input(1)).filter(v -> pattern.isSame(v, sub.input(0))).isPresent())
        .map(sub -> sub.input(0));
  }

  /** What a value is the mean square of, with something added. */
  static Optional<Norm> ofMeanSquare(Pattern pattern, String value) {
    Optional<OpNode> sum = pattern.made(value, "Add");
    if (sum.isEmpty()) {
      return Optional.empty();
    }
    for (int i = 0; i < 2; i++) {
      Optional<Double> epsilon = pattern.draft().number(sum.get().input(1 - i));
      Optional<String> x = pattern.mean(sum.get().input(i)).flatMap(pattern::squared);
      if (epsilon.isPresent() && x.isPresent()) {
        return Optional.of(new Norm(x.get(), epsilon.get()));
      }
    }
    return Optional.empty();
  }
}
