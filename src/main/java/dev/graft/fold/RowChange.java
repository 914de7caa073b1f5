package dev.graft.fold;

import java.lang.foreign.MemorySegment;

/** What is done to the rows of one tensor, in order. One instance serves one thread. */
interface RowChange {

  /**
   * Sees a row's old values as they are stored.
   *
   * @param stored holds them
   * @param offset where they begin
   * @param count how many
   */
  default void before(MemorySegment stored, long offset, int count) {}

  /**
   * Makes new values of the row's old ones.
   *
   * @param row which row, counted from 0
   * @param values the old values, replaced by the new ones
   * @param count how many
   */
  void change(long row, float[] values, int count);

  /**
   * Sees the row's new values as they will be stored, rounded to the tensor's type.
   *
   * @param stored holds them
   * @param offset where they begin
   * @param count how many
   */
  default void after(MemorySegment stored, long offset, int count) {}

  /** The change itself, and nothing else. */
  record Plain(RowSource source) implements RowChange {

    @Override
    public void change(long row, float[] values, int count) {
      source.apply(row, values, count);
    }
  }
}
