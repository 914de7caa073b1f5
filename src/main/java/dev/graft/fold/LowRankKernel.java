package dev.graft.fold;

import java.util.Arrays;

/**
 * Adds a low-rank product to rows of a matrix: {@code W[p][q] += s · Σ_j L[p][j] · R[j][q]}.
 *
 * <p>The arithmetic is fixed for every element, whatever the block size, thread count or compiler: in
 * float32, beginning at 0, for j ascending {@code acc = fma(L[p][j], R[j][q], acc)}; then {@code s · acc} is
 * rounded; then it is added to W's value as float32. (Rounding to W's own type comes after, once.)
 *
 * <p>Every array in the inner loops is indexed by the same variable, and four terms go per pass: C2
 * vectorises exactly this shape. With one flat array and an offset, or eight terms, it falls back to scalar
 * code and loses a factor of 5 to 10.
 */
final class LowRankKernel {

  /** Columns that stay in the first-level cache while all terms are added. */
  private static final int TILE = 1024;

  private final float[] accumulator;

  LowRankKernel(int maxColumns) {
    this.accumulator = new float[maxColumns];
  }

  /**
   * Adds the product to a part of one row.
   *
   * @param row the row's values, from index 0
   * @param columns how many columns
   * @param left the row's factors, {@code [r]} from {@code leftOffset}
   * @param leftOffset where they begin
   * @param right the other factor's rows, {@code [r][columns]}
   * @param scale s
   */
  void addRow(float[] row, int columns, float[] left, int leftOffset, float[][] right, float scale) {
    for (int from = 0; from < columns; from += TILE) {
      int to = Math.min(columns, from + TILE);
      Arrays.fill(accumulator, from, to, 0f);
      int j = 0;
      for (; j + 4 <= right.length; j += 4) {
        addFour(row4(right, j), left, leftOffset + j, from, to);
      }
      for (; j < right.length; j++) {
        addOne(accumulator, right[j], left[leftOffset + j], from, to);
      }
      addScaled(row, accumulator, scale, from, to);
    }
  }

  /** Four rows of the right factor, each an array of its own. */
  private record FourRows(float[] r0, float[] r1, float[] r2, float[] r3) {}

  private static FourRows row4(float[][] right, int j) {
    return new FourRows(right[j], right[j + 1], right[j + 2], right[j + 3]);
  }

  private void addFour(FourRows rows, float[] left, int at, int from, int to) {
    float[] acc = accumulator;
    float[] r0 = rows.r0;
    float[] r1 = rows.r1;
    float[] r2 = rows.r2;
    float[] r3 = rows.r3;
    float l0 = left[at];
    float l1 = left[at + 1];
    float l2 = left[at + 2];
    float l3 = left[at + 3];
    for (int k = from; k < to; k++) {
      acc[k] =
          Math.fma(
              l3, r3[k], Math.fma(l2, r2[k], Math.fma(l1, r1[k], Math.fma(l0, r0[k], acc[k]))));
    }
  }

  private static void addOne(float[] acc, float[] r, float l, int from, int to) {
    for (int k = from; k < to; k++) {
      acc[k] = Math.fma(l, r[k], acc[k]);
    }
  }

  private static void addScaled(float[] row, float[] acc, float scale, int from, int to) {
    for (int k = from; k < to; k++) {
      row[k] = row[k] + scale * acc[k];
    }
  }
}
