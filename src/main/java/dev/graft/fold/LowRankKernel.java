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
final class LowRankKernel implements AutoCloseable {

  /** Columns that stay in the first-level cache while all terms are added. */
  static final int TILE = 1024;

  private final LeftFactor left;
  private final RightFactor right;
  private final float scale;
  private final float[] accumulator;
  private final float[] sums = new float[TILE];
  private float[][] terms = new float[0][];

  /**
   * Prepares one product.
   *
   * @param left L, {@code [rows, r]}
   * @param right R, {@code [r, columns]}
   * @param scale s
   */
  LowRankKernel(LeftFactor left, RightFactor right, float scale) {
    this.left = left;
    this.right = right;
    this.scale = scale;
    this.accumulator = new float[right.begin(right.columns()) + TILE];
  }

  /**
   * Adds the product's row to a row of W.
   *
   * @param row which one
   * @param values W's row, changed in place
   * @param columns how many values it has
   */
  void addRow(int row, float[] values, int columns) {
    int factors = left.at(row);
    for (int column = 0; column < columns; column += TILE) {
      int end = Math.min(columns, column + TILE);
      terms = right.rows(column, end);
      int from = right.begin(column);
      int to = from + end - column;
      int j = setFirst(factors, from, to);
      for (; j + 4 <= terms.length; j += 4) {
        addFour(factors, j, from, to);
      }
      for (; j < terms.length; j++) {
        addOne(terms[j], left.values()[factors + j], from, to);
      }
      if (from == column) {
        addScaled(values, from, to);
      } else {
        System.arraycopy(values, column, sums, 0, to - from);
        addScaled(sums, from, to);
        System.arraycopy(sums, 0, values, column, to - from);
      }
    }
  }

  /**
   * Begins the sums with the first four terms, if there are as many, whatever was in the
   * accumulator.
   *
   * @return how many terms that was
   */
  private int setFirst(int factors, int from, int to) {
    if (terms.length < 4) {
      Arrays.fill(accumulator, from, to, 0f);
      return 0;
    }
    float[] acc = accumulator;
    float[] r0 = terms[0];
    float[] r1 = terms[1];
    float[] r2 = terms[2];
    float[] r3 = terms[3];
    float[] l = left.values();
    float l0 = l[factors];
    float l1 = l[factors + 1];
    float l2 = l[factors + 2];
    float l3 = l[factors + 3];
    for (int k = from; k < to; k++) {
      acc[k] =
          Math.fma(l3, r3[k], Math.fma(l2, r2[k], Math.fma(l1, r1[k], Math.fma(l0, r0[k], 0f))));
    }
    return 4;
  }

  private void addFour(int factors, int j, int from, int to) {
    float[] acc = accumulator;
    float[] r0 = terms[j];
    float[] r1 = terms[j + 1];
    float[] r2 = terms[j + 2];
    float[] r3 = terms[j + 3];
    float[] l = left.values();
    float l0 = l[factors + j];
    float l1 = l[factors + j + 1];
    float l2 = l[factors + j + 2];
    float l3 = l[factors + j + 3];
    for (int k = from; k < to; k++) {
      acc[k] =
          Math.fma(
              l3, r3[k], Math.fma(l2, r2[k], Math.fma(l1, r1[k], Math.fma(l0, r0[k], acc[k]))));
    }
  }

  private void addOne(float[] r, float l, int from, int to) {
    float[] acc = accumulator;
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

  @Override
  public void close() {
    left.close();
    right.close();
  }
}
