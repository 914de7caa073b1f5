package dev.graft.fold;

import java.util.List;

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

  /** Whether {@link #apply} is nothing but values plus what {@link #add} adds, rounded once. */
  default boolean isSum() {
    return false;
  }

  /**
   * Adds to values what {@link #apply} adds, and nothing else: for {@code f · (W + d)} the {@code
   * d}. Values that are not changed are left alone.
   *
   * @param row which row, counted from 0
   * @param values takes the sum
   * @param count how many
   */
  default void add(long row, float[] values, int count) {
    apply(row, values, count);
  }

  /**
   * Multiplies values by what {@link #apply} multiplied this row's with after it had added to them.
   *
   * @param row the row that was changed last
   * @param values takes the product
   * @param count how many
   */
  default void scale(long row, float[] values, int count) {}

  /**
   * Collects the factors of {@link #scale}, a vector for each part that has any, once all rows have
   * been changed.
   */
  default void collectFactors(List<float[]> into) {}

  /** Closes what the rows are read from, if anything is. */
  @Override
  default void close() {}
}
