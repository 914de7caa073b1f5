package dev.graft.fold;

import dev.graft.match.Layout;
import java.util.List;

/**
 * Rows of {@code f · (W + s·B·A)} with factors that are known, one for each output. What DoRA made
 * is taken back with them, since its own come from values that are gone.
 */
final class ScaledRows implements RowSource {

  private final LowRankRows rows;
  private final float[] factors;
  private final Layout layout;

  /**
   * Prepares the rows of one weight.
   *
   * @param rows adds the product
   * @param factors f, one for each output
   * @param layout how the stored weight is turned
   */
  ScaledRows(LowRankRows rows, float[] factors, Layout layout) {
    this.rows = rows;
    this.factors = factors;
    this.layout = layout;
  }

  @Override
  public void apply(long row, float[] values, int count) {
    rows.apply(row, values, count);
    scale(row, values, count);
  }

  @Override
  public void add(long row, float[] values, int count) {
    rows.apply(row, values, count);
  }

  @Override
  public void scale(long row, float[] values, int count) {
    byOutputs(layout, factors, row, values);
  }

  /**
   * Multiplies the values of a stored row by the factors of their outputs.
   *
   * @param layout whether a row is one output's or holds a value of each
   * @param factors one for each output
   * @param row which row
   * @param values at least as many as there are factors, where a row holds a value of each
   */
  static void byOutputs(Layout layout, float[] factors, long row, float[] values) {
    if (layout == Layout.IN_OUT) {
      for (int i = 0; i < factors.length; i++) {
        values[i] = factors[i] * values[i];
      }
      return;
    }
    float factor = factors[(int) row];
    for (int i = 0; i < values.length; i++) {
      values[i] = factor * values[i];
    }
  }

  @Override
  public void collectFactors(List<float[]> into) {
    into.add(factors);
  }

  @Override
  public void close() {
    rows.close();
  }
}
