package dev.graft.fold;

/** The one row of a vector to which another one is added, times a factor. */
final class ShiftRows implements RowSource {

  private final float[] shift;
  private final float scale;

  /**
   * Prepares to add.
   *
   * @param shift what is added, as long as the row
   * @param scale its factor
   */
  ShiftRows(float[] shift, float scale) {
    this.shift = shift;
    this.scale = scale;
  }

  @Override
  public void apply(long row, float[] values, int count) {
    for (int i = 0; i < count; i++) {
      values[i] = Math.fma(scale, shift[i], values[i]);
    }
  }
}
