package dev.graft.fold;

/** Computes new values row by row. One instance serves one thread. */
interface RowSource extends AutoCloseable {

  /**
   * Turns old values into new ones.
   *
   * @param row which row, counted from 0
   * @param values the row's old values, replaced by the new ones
   * @param count how many
   */
  void apply(long row, float[] values, int count);

  /** Whether {@link #observe} has to see every row before the first is changed. */
  default boolean needsAllRowsFirst() {
    return false;
  }

  /**
   * Looks at old values; may scribble on them.
   *
   * @param row which row, in ascending order
   * @param values the row's old values
   * @param count how many
   */
  default void observe(long row, float[] values, int count) {}

  /** Closes what the rows are read from, if anything is. */
  @Override
  default void close() {}
}
