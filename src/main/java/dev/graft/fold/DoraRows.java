package dev.graft.fold;

import dev.graft.match.Layout;
import java.util.List;

/**
 * Rows of {@code m / ‖V‖ · V} with {@code V = W + s·B·A}, the norm over the inputs of one output.
 * Squares are summed in double in the order of the inputs; norm, factor and product are float32.
 * Where an output is a column of the file, all rows have to be seen first.
 */
final class DoraRows implements RowSource {

  private final LowRankRows rows;
  private final float[] magnitude;
  private final Layout layout;
  private final float alpha;
  private final double[] squares;
  private final float[] factors;

  private DoraRows(LowRankRows rows, float[] magnitude, Layout layout, float alpha) {
    this.rows = rows;
    this.magnitude = magnitude;
    this.layout = layout;
    this.alpha = Math.abs(alpha);
    this.squares = new double[layout == Layout.IN_OUT ? magnitude.length : 0];
    this.factors = new float[magnitude.length];
  }

  /**
   * Prepares the rows of one weight.
   *
   * @param change what to do
   * @param rows V's rows
   * @param magnitude m
   */
  static DoraRows of(Change.Dora change, LowRankRows rows, float[] magnitude) {
    return new DoraRows(rows, magnitude, change.lowRank().layout(), change.alpha());
  }

  @Override
  public boolean needsAllRowsFirst() {
    return layout == Layout.IN_OUT;
  }

  @Override
  public void observe(long row, float[] values, int count) {
    rows.apply(row, values, count);
    for (int i = 0; i < count; i++) {
      squares[i] += (double) values[i] * values[i];
    }
  }

  @Override
  public void apply(long row, float[] values, int count) {
    rows.apply(row, values, count);
    if (layout == Layout.IN_OUT) {
      for (int i = 0; i < count; i++) {
        factors[i] = factor(i, squares[i]);
        values[i] = factors[i] * values[i];
      }
      return;
    }
    double sum = 0;
    for (int i = 0; i < count; i++) {
      sum += (double) values[i] * values[i];
    }
    float factor = factor((int) row, sum);
    factors[(int) row] = factor;
    for (int i = 0; i < count; i++) {
      values[i] = factor * values[i];
    }
  }

  @Override
  public void add(long row, float[] values, int count) {
    rows.apply(row, values, count);
  }

  @Override
  public void scale(long row, float[] values, int count) {
    ScaledRows.byOutputs(layout, factors, row, values);
  }

  @Override
  public void collectFactors(List<float[]> into) {
    into.add(factors);
  }

  @Override
  public void close() {
    rows.close();
  }

  private float factor(int output, double sumOfSquares) {
    return magnitude[output] / (alpha * (float) Math.sqrt(sumOfSquares));
  }
}
