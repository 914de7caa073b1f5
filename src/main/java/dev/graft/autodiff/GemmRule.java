package dev.graft.autodiff;

import dev.graft.onnx.Attributes;
import java.util.List;

/**
 * Y = α · op(A) · op(B) + β · C.
 *
 * <p>dA = α · dY · op(B)ᵀ, dB = α · op(A)ᵀ · dY, each transposed where the node transposes the
 * input; dC = β · dY, summed over the axes along which C was broadcast.
 */
final class GemmRule implements Rule {

  @Override
  public void apply(Differential d) {
    boolean turnedA = d.node().intAttribute("transA", 0) != 0;
    boolean turnedB = d.node().intAttribute("transB", 0) != 0;
    if (d.wants(0)) {
      String b = d.factor(1);
      d.give(
          0,
          turnedA
              ? product(d, List.of(b, d.dy()), turnedB ? 1 : 0, 1)
              : product(d, List.of(d.dy(), b), 0, turnedB ? 0 : 1));
    }
    if (d.wants(1)) {
      d.give(
          1,
          turnedB
              ? product(d, List.of(d.dy(), d.x(0)), 1, turnedA ? 1 : 0)
              : product(d, List.of(d.x(0), d.dy()), turnedA ? 0 : 1, 0));
    }
    if (d.wants(2)) {
      float beta = d.node().floatAttribute("beta", 1);
      d.giveReduced(2, beta == 1 ? d.dy() : d.emit().mul(d.dy(), d.scalar(beta)));
    }
  }

  private static String product(Differential d, List<String> factors, long transA, long transB) {
    return d.emit()
        .op(
            "Gemm",
            factors,
            Attributes.of("alpha", d.node().floatAttribute("alpha", 1)),
            Attributes.of("transA", transA),
            Attributes.of("transB", transB));
  }
}
