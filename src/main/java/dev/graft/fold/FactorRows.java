package dev.graft.fold;

/** Some rows of a factor as a factor of their own. */
final class FactorRows implements Factor {

  private final Factor whole;
  private final int first;
  private final int count;

  /**
   * Picks rows.
   *
   * @param whole where from; closed with this
   * @param first the first row
   * @param count how many
   */
  FactorRows(Factor whole, int first, int count) {
    if (first < 0 || count < 1 || count > whole.rows() - first) {
      throw new IllegalArgumentException(
          "no %d rows from %d of a factor with %d".formatted(count, first, whole.rows()));
    }
    this.whole = whole;
    this.first = first;
    this.count = count;
  }

  @Override
  public int rows() {
    return count;
  }

  @Override
  public int columns() {
    return whole.columns();
  }

  @Override
  public void read(Window window, float[] into) {
    whole.read(
        new Window(first + window.row(), window.rows(), window.column(), window.columns()), into);
  }

  @Override
  public void close() {
    whole.close();
  }
}
