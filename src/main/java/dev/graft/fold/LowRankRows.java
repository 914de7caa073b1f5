package dev.graft.fold;

import dev.graft.adapter.LoraPair.Factors;
import dev.graft.match.Layout;
import dev.graft.match.OutputRange;

/** Rows of W + s·B·A, in the layout of the stored weight. */
final class LowRankRows implements RowSource {

  private final LowRankKernel kernel;

  private LowRankRows(LowRankKernel kernel) {
    this.kernel = kernel;
  }

  /** Turns the two factors so that a stored row is one row of the product. */
  static LowRankRows of(Change.LowRank change, AdapterValues adapter) {
    Factors stored = change.factors();
    Factor a =
        BlockFactor.of(new TensorFactor(stored.a(), adapter), stored.extras().blocks().ofA());
    Factor b =
        BlockFactor.of(new TensorFactor(stored.b(), adapter), stored.extras().blocks().ofB());
    OutputRange outputs = change.outputs();
    int count = Math.toIntExact(outputs.countOf(b.rows()));
    Factor some = new FactorRows(b, Math.toIntExact(outputs.from()), count);
    return of(a, some, change.layout(), change.scale());
  }

  /**
   * The same for factors that are not whole tensors. Both are closed when they are no longer
   * needed.
   *
   * @param a {@code [r, in]}
   * @param b {@code [out, r]}
   * @param layout how the stored weight is turned
   * @param scale s
   */
  static LowRankRows of(Factor a, Factor b, Layout layout, float scale) {
    boolean byOutputs = layout == Layout.OUT_IN;
    LeftFactor left = byOutputs ? LeftFactor.asIs(b) : LeftFactor.turned(a);
    try (Factor read = byOutputs ? a : b) {
      RightFactor right = byOutputs ? RightFactor.asIs(read) : RightFactor.turned(read);
      return new LowRankRows(new LowRankKernel(left, right, scale));
    } catch (RuntimeException | Error e) {
      left.close();
      throw e;
    }
  }

  @Override
  public void apply(long row, float[] values, int count) {
    kernel.addRow((int) row, values, count);
  }

  @Override
  public boolean isSum() {
    return true;
  }

  @Override
  public void close() {
    kernel.close();
  }
}
