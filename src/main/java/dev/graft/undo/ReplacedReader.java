package dev.graft.undo;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.BitSet;

/** Puts back what a {@link ReplacedWriter} kept. */
public final class ReplacedReader {

  private final RecordReader record;
  private final int elementBytes;

  /**
   * Prepares to read.
   *
   * @param record where it is from
   * @param elementBytes bytes of an element
   */
  public ReplacedReader(RecordReader record, int elementBytes) {
    this.record = record;
    this.elementBytes = elementBytes;
  }

  /**
   * Puts the old bytes of a run in place of the new ones.
   *
   * @param kept what was written for the run
   * @param rows the run's new bytes
   * @param rowBytes how many a row has; the last one may have fewer
   * @throws dev.graft.error.FormatException if what was kept is damaged
   */
  public void restore(Corrections kept, MemorySegment rows, long rowBytes) {
    BitSet changed = BitSet.valueOf(kept.choices());
    if (changed.isEmpty()) {
      return;
    }
    if ((changed.length() - 1) * rowBytes >= rows.byteSize()) {
      throw record.damaged("it names rows that a tensor does not have");
    }
    int bytes =
        changed.stream()
            .mapToLong(row -> length(rows, row, rowBytes))
            .mapToInt(Math::toIntExact)
            .sum();
    byte[] planes = record.inflate(kept.exceptions(), bytes);
    int elements = bytes / elementBytes;
    int element = 0;
    for (int row = changed.nextSetBit(0); row >= 0; row = changed.nextSetBit(row + 1)) {
      long end = row * rowBytes + length(rows, row, rowBytes);
      for (long at = row * rowBytes; at < end; at += elementBytes, element++) {
        for (int plane = 0; plane < elementBytes; plane++) {
          byte now = rows.get(ValueLayout.JAVA_BYTE, at + plane);
          rows.set(
              ValueLayout.JAVA_BYTE, at + plane, (byte) (now ^ planes[plane * elements + element]));
        }
      }
    }
  }

  private static long length(MemorySegment rows, long row, long rowBytes) {
    return Math.min(rowBytes, rows.byteSize() - row * rowBytes);
  }
}
