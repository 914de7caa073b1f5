package dev.graft.fold;

import dev.graft.match.Layout;
import dev.graft.safetensors.SafetensorsTensor;
import java.util.function.Function;

/** Rows of W + s·B·A, in the layout of the stored weight. */
final class LowRankRows implements RowSource {

  private final LowRankKernel kernel;

  private LowRankRows(LowRankKernel kernel) {
    this.kernel = kernel;
  }

  /**
   * Reads the two factors and turns them so that a stored row is one row of the product.
   *
   * @param change the pair
   * @param values reads an adapter tensor as finite float32 values
   */
  static LowRankRows of(Change.LowRank change, Function<SafetensorsTensor, float[]> values) {
    int rank = (int) change.a().shape().dim(0);
    int in = (int) change.a().shape().dim(1);
    int out = (int) change.b().shape().dim(0);
    float[] a = values.apply(change.a());
    float[] b = values.apply(change.b());
    if (change.layout() == Layout.OUT_IN) {
      float[][] right = new float[rank][in];
      for (int j = 0; j < rank; j++) {
        System.arraycopy(a, j * in, right[j], 0, in);
      }
      return new LowRankRows(new LowRankKernel(b, right, change.scale()));
    }
    float[] left = new float[in * rank];
    for (int j = 0; j < rank; j++) {
      for (int i = 0; i < in; i++) {
        left[i * rank + j] = a[j * in + i];
      }
    }
    float[][] right = new float[rank][out];
    for (int o = 0; o < out; o++) {
      for (int j = 0; j < rank; j++) {
        right[j][o] = b[o * rank + j];
      }
    }
    return new LowRankRows(new LowRankKernel(left, right, change.scale()));
  }

  @Override
  public void apply(long row, float[] values, int count) {
    kernel.addRow((int) row, values, count);
  }
}
