package dev.graft.fold;

import java.util.Arrays;

/**
 * Adds a low-rank product to rows of a matrix: {@code W[p][q] += s · Σ_j L[p][j] · R[j][q]}.
 *
 * <p>The arithmetic is fixed for every element, whatever the block size, thread count or compiler:
 * in float32, beginning at 0, for j ascending {@code acc = fma(L[p][j], R[j][q], acc)}; then {@code
 * s · acc} is rounded; then it is added to W's value as float32. (Rounding to W's own type comes
 * after, once.)
 *
 * <p>Every array in the inner loops is indexed by the same variable, and four terms go per pass: C2
 * vectorises exactly this shape. With one flat array and an offset, or eight terms, it falls back
 * to scalar code and loses a factor of 5 to 10.
 */
final class LowRankKernel {

  /** Columns that stay in the first-level cache while all terms are added. */
  private static final int TILE = 1024;

  private final float[] left;
  private final float[][] right;
  private final float scale;
  private final float[] accumulator;

  /**
   * Prepares one product.
   *
   * @param left L, row after row, {@code [rows · r]}
   * @param right R, {@code [r][columns]}
   * @param scale s
   */
  LowRankKernel(float[] left, float[][] right, float scale) {
    this.left = left;
    this.right = right;
    this.scale = scale;
    this.accumulator = new float[right.length == 0 ? 0 : right[0].length];
  }

  /**
   * Adds the product's row to a row of W.
   *
   * @param row which one
   * @param values W's row, changed in place
   * @param columns how many values it has
   */
  void addRow(int row, float[] values, int columns) {
    int factors = row * right.length;
    for (int from = 0; from < columns; from += TILE) {
      int to = Math.min(columns, from + TILE);
      int j = 4;
      if (right.length < j) {
        Arrays.fill(accumulator, from, to, 0f);
        j = 0;
      } else {
        setFour(factors, from, to);
      }
      for (; j + 4 <= right.length; j += 4) {
        addFour(factors, j, from, to);
      }
      for (; j < right.length; j++) {
        addOne(factors, j, from, to);
      }
      addScaled(values, from, to);
    }
  }

  /** The first four terms; what was in the accumulator does not matter. */
  private void setFour(int factors, int from, int to) {
    float[] acc = accumulator;
    float[] r0 = right[0];
    float[] r1 = right[1];
    float[] r2 = right[2];
    float[] r3 = right[3];
    float l0 = left[factors];
    float l1 = left[factors + 1];
    float l2 = left[factors + 2];
    float l3 = left[factors + 3];
    for (int k = from; k < to; k++) {
      acc[k] =
          Math.fma(l3, r3[k], Math.fma(l2, r2[k], Math.fma(l1, r1[k], Math.fma(l0, r0[k], 0f))));
    }
  }

  private void addFour(int factors, int j, int from, int to) {
    float[] acc = accumulator;
    float[] r0 = right[j];
    float[] r1 = right[j + 1];
    float[] r2 = right[j + 2];
    float[] r3 = right[j + 3];
    float l0 = left[factors + j];
    float l1 = left[factors + j + 1];
    float l2 = left[factors + j + 2];
    float l3 = left[factors + j + 3];
    for (int k = from; k < to; k++) {
      acc[k] =
          Math.fma(
              l3, r3[k], Math.fma(l2, r2[k], Math.fma(l1, r1[k], Math.fma(l0, r0[k], acc[k]))));
    }
  }

  private void addOne(int factors, int j, int from, int to) {
    float[] acc = accumulator;
    float[] r = right[j];
    float l = left[factors + j];
    for (int k = from; k < to; k++) {
      acc[k] = Math.fma(l, r[k], acc[k]);
    }
  }

  private void addScaled(float[] values, int from, int to) {
    float[] acc = accumulator;
    float s = scale;
    for (int k = from; k < to; k++) {
      values[k] = values[k] + s * acc[k];
    }
  }
}
