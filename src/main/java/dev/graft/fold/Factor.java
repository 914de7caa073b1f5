package dev.graft.fold;

/**
 * One factor of a low-rank product as a matrix of finite float32 values. It is read window by
 * window, because the factor of a token table may be larger than the heap.
 */
interface Factor extends AutoCloseable {

  /**
   * A part of a matrix.
   *
   * @param row the first row
   * @param rows how many
   * @param column the first column
   * @param columns how many
   */
  record Window(int row, int rows, int column, int columns) {

    /** Whole rows of a factor. */
    static Window ofRows(Factor factor, int row, int rows) {
      return new Window(row, rows, 0, factor.columns());
    }

    int elements() {
      return Math.multiplyExact(rows, columns);
    }
  }

  int rows();

  int columns();

  /**
   * Reads a window.
   *
   * @param window which part
   * @param into receives it from its front on, row after row
   * @throws dev.graft.error.FormatException if a value is not finite
   */
  void read(Window window, float[] into);

  /** Closes what the values are read from, if anything is. */
  @Override
  default void close() {}
}
