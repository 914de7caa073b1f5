package dev.graft.fold;

import java.lang.foreign.MemorySegment;

/** What is done to the rows of one tensor, in order. One instance serves one thread. */
interface RowChange {

  /**
   * Makes new values of a row's old ones.
   *
   * @param row which row, counted from 0
   * @param stored the old values as they are stored
   * @param values the old values, replaced by the new ones
   * @param count how many
   */
  void change(long row, MemorySegment stored, float[] values, int count);

  /**
   * Sees the row's new values as they will be stored.
   *
   * @param stored the new values, rounded to the tensor's type
   * @param count how many
   */
  void stored(MemorySegment stored, int count);

  /** The change itself, and nothing else. */
  record Plain(RowSource source) implements RowChange {

    @Override
    public void change(long row, MemorySegment stored, float[] values, int count) {
      source.apply(row, values, count);
    }

    @Override
    public void stored(MemorySegment stored, int count) {}
  }
}
