package dev.graft.fold;

import dev.graft.match.Layout;
import dev.graft.safetensors.SafetensorsTensor;
import java.util.Arrays;
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
    int in = (int) (change.a().shape().elements() / rank);
    int out = (int) change.outputs().countOf(change.b().shape().dim(0));
    int first = (int) change.outputs().from() * rank;
    float[] a = values.apply(change.a());
    float[] b = Arrays.copyOfRange(values.apply(change.b()), first, first + out * rank);
    if (change.layout() == Layout.OUT_IN) {
      float[][] right = new float[rank][in];
      for (int j = 0; j < rank; j++) {
        System.arraycopy(a, j * in, right[j], 0, in);
      }
      return new LowRankRows(new LowRankKernel(b, right, change.scale()));
    }
    return new LowRankRows(new LowRankKernel(turned(a, rank), columns(b, rank), change.scale()));
  }

  private static float[] turned(float[] a, int rank) {
    int in = a.length / rank;
    float[] left = new float[a.length];
    for (int j = 0; j < rank; j++) {
      for (int i = 0; i < in; i++) {
        left[i * rank + j] = a[j * in + i];
      }
    }
    return left;
  }

  private static float[][] columns(float[] b, int rank) {
    int out = b.length / rank;
    float[][] right = new float[rank][out];
    for (int o = 0; o < out; o++) {
      for (int j = 0; j < rank; j++) {
        right[j][o] = b[o * rank + j];
      }
    }
    return right;
  }

  @Override
  public void apply(long row, float[] values, int count) {
    kernel.addRow((int) row, values, count);
  }
}
