package dev.graft.autodiff;

import dev.graft.onnx.Attributes;
import dev.graft.onnx.proto.AttributeProto;
import java.util.List;
import java.util.Optional;

/**
 * Y = α · op(A) · op(B), op the transpose of the last two axes where the node says so; batches are
 * broadcast.
 *
 * <p>Without transposes dA = α · dY · Bᵀ and dB = α · Aᵀ · dY, summed over the batches that were
 * broadcast. A transposed input gets the transpose of that, as (dYᵀ)-products: dA = α · op(B) · dYᵀ
 * and dB = α · dYᵀ · op(A). The transposes are flags of the products, so that no weight is ever
 * copied the other way round. Where B is one matrix for all batches, dB is a single product over
 * all rows.
 */
final class MatMulRule implements Rule {

  @Override
  public void apply(Differential d) {
    if (d.node().intAttribute("transBatchA", 0) != 0
        || d.node().intAttribute("transBatchB", 0) != 0) {
      throw d.refused("it transposes batches");
    }
    if (d.wants(0)) {
      left(d);
    }
    if (d.wants(1)) {
      right(d);
    }
  }

  private static void left(Differential d) {
    boolean isVector = d.rank(0) == 1;
    String dy = matrix(d);
    String b = d.rank(1) == 1 ? d.emit().reshape(d.x(1), -1, 1) : d.factor(1);
    boolean turnedA = flag(d, "transA");
    boolean turnedB = flag(d, "transB") && d.rank(1) > 1;
    String da =
        turnedA && !isVector
            ? product(d, new Factor(b, turnedB), new Factor(dy, true))
            : product(d, new Factor(dy, false), new Factor(b, !turnedB));
    give(d, 0, da);
  }

  private static void right(Differential d) {
    boolean isVector = d.rank(1) == 1;
    boolean turnedA = flag(d, "transA") && d.rank(0) > 1;
    boolean turnedB = flag(d, "transB") && !isVector;
    String dy = matrix(d);
    String a = d.rank(0) == 1 ? d.emit().reshape(d.x(0), 1, -1) : d.x(0);
    Optional<long[]> widths = widths(d);
    if (d.rank(1) == 2 && d.rank(0) > 2 && !turnedA && widths.isPresent()) {
      a = d.emit().reshape(a, -1, widths.get()[0]);
      dy = d.emit().reshape(dy, -1, widths.get()[1]);
    }
    String db =
        turnedB
            ? product(d, new Factor(dy, true), new Factor(a, turnedA))
            : product(d, new Factor(a, !turnedA), new Factor(dy, false));
    give(d, 1, db);
  }

  /** An input that is a vector was a matrix of one row or column for the product. */
  private static void give(Differential d, int input, String gradient) {
    if (d.rank(input) > 1) {
      d.giveReduced(input, gradient);
      return;
    }
    Optional<Integer> rank = d.emit().draft().facts(gradient).rank();
    if (rank.isEmpty()) {
      throw d.refused("the shape of a factor is not known");
    }
    String sum =
        rank.get() > 2
            ? d.emit().sumDropped(gradient, Differential.axesFrom(0, rank.get() - 2))
            : gradient;
    d.giveReshaped(input, sum);
  }

  /** The gradient of the product as a matrix: axes that vectors lack are put in. */
  private static String matrix(Differential d) {
    String dy = d.dy();
    if (d.rank(1) == 1) {
      dy = d.emit().unsqueeze(dy, -1);
    }
    return d.rank(0) == 1 ? d.emit().unsqueeze(dy, -2) : dy;
  }

  /** Rows and columns of op(B), where both are known. */
  private static Optional<long[]> widths(Differential d) {
    Facts b = d.node().facts(1);
    boolean turned = flag(d, "transB");
    return b.rank().orElse(0) == 2 && b.isStatic()
        ? Optional.of(
            new long[] {
              b.dim(turned ? 1 : 0).orElseThrow().value(),
              b.dim(turned ? 0 : 1).orElseThrow().value()
            })
        : Optional.empty();
  }

  private record Factor(String value, boolean turned) {
    AttributeProto flag(String name) {
      return Attributes.of(name, turned ? 1L : 0L);
    }
  }

  private static String product(Differential d, Factor a, Factor b) {
    float alpha = d.node().floatAttribute("alpha", 1);
    if (!a.turned() && !b.turned() && alpha == 1) {
      return d.emit().op("MatMul", a.value(), b.value());
    }
    return d.emit()
        .op(
            "com.microsoft.FusedMatMul",
            List.of(a.value(), b.value()),
            a.flag("transA"),
            b.flag("transB"),
            Attributes.of("alpha", alpha));
  }

  private static boolean flag(Differential d, String name) {
    return d.node().intAttribute(name, 0) != 0;
  }
}
