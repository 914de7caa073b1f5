package dev.graft.autodiff;

import dev.graft.autodiff.LayerNormFusion.Norm;
import dev.graft.onnx.Attributes;
import java.util.List;
import java.util.Optional;

/**
 * X / √(mean X² + ε) · scale is SimplifiedLayerNormalization. Where X has its mean taken off, it is
 * the first part of a LayerNormalization, which is left for its bias to come.
 */
final class RmsNormFusion implements Fusion {

  @Override
  public boolean apply(OpNode node, Emitter emit) {
    if (!node.operator().equals("Mul")) {
      return false;
    }
    Pattern pattern = new Pattern(node.draft());
    for (int i = 0; i < 2; i++) {
      String scale = node.input(1 - i);
      Optional<Norm> norm = norm(pattern, node.input(i));
      boolean isLayerNorm = norm.flatMap(n -> LayerNormFusion.centred(pattern, n.x())).isPresent();
      if (norm.isPresent() && !isLayerNorm && pattern.isAlongLast(scale, norm.get().x())) {
        String result =
            emit.op(
                "SimplifiedLayerNormalization",
                List.of(norm.get().x(), scale),
                Attributes.of("axis", -1L),
                Attributes.of("epsilon", (float) norm.get().epsilon()));
        emit.alias(result, node.proto().getOutput(0));
        return true;
      }
    }
    return false;
  }

  private static Optional<Norm> norm(Pattern pattern, String value) {
    Optional<OpNode> quotient = pattern.made(value, "Div");
    if (quotient.isPresent()) {
      String x = quotient.get().input(0);
      return root(pattern, quotient.get().input(1)).filter(n -> pattern.isSame(n.x(), x));
    }
    Optional<OpNode> product = pattern.made(value, "Mul");
    for (int i = 0; i < 2 && product.isPresent(); i++) {
      String x = product.get().input(i);
      Optional<Norm> norm =
          inverse(pattern, product.get().input(1 - i)).filter(n -> pattern.isSame(n.x(), x));
      if (norm.isPresent()) {
        return norm;
      }
    }
    return Optional.empty();
  }

  private static Optional<Norm> inverse(Pattern pattern, String value) {
    return pattern
        .made(value, "Reciprocal")
        .map(reciprocal -> reciprocal.input(0))
        .or(() ->
            pattern
                .made(value, "Div")
                .filter(div -> pattern.isNumber(div.input(0), 1))
                .map(div -> div.input(1)))
        .flatMap(v -> root(pattern, v));
  }

  private static Optional<Norm> root(Pattern pattern, String value) {
    return pattern
        .made(value, "Sqrt")
        .flatMap(root -> LayerNormFusion.ofMeanSquare(pattern, root.input(0)));
  }
}
