package dev.graft.undo;

import java.io.ByteArrayOutputStream;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.BitSet;

/**
 * Keeps rows that were replaced: which of them changed, and old bytes XOR new bytes of those, the
 * first bytes of all elements before the second ones and so on, deflated. Related values share
 * their signs and exponents, which so become runs of zeros.
 */
public final class ReplacedWriter {

  private final int elementBytes;
  private final BitSet changed = new BitSet();
  private final ByteArrayOutputStream different = new ByteArrayOutputStream();
  private int rows;

  /**
   * Begins.
   *
   * @param elementBytes bytes of an element
   */
  public ReplacedWriter(int elementBytes) {
    this.elementBytes = elementBytes;
  }

  /**
   * Takes the next row.
   *
   * @param before its old bytes
   * @param after its new bytes, as many
   */
  public void add(MemorySegment before, MemorySegment after) {
    if (before.mismatch(after) >= 0) {
      changed.set(rows);
      byte[] row = before.toArray(ValueLayout.JAVA_BYTE);
      for (int i = 0; i < row.length; i++) {
        row[i] ^= after.get(ValueLayout.JAVA_BYTE, i);
      }
      different.write(row, 0, row.length);
    }
    rows++;
  }

  /** What was written: the changed rows as bits, lowest first, and their differences. */
  public Corrections finish() {
    if (changed.isEmpty()) {
      return new Corrections(new byte[0], new byte[0]);
    }
    return new Corrections(changed.toByteArray(), deflated(different.toByteArray()));
  }

  private byte[] deflated(byte[] bytes) {
    byte[] planes = planes(bytes);
    return RunDeflater.deflated(planes, planes.length);
  }

  private byte[] planes(byte[] bytes) {
    byte[] planes = new byte[bytes.length];
    int elements = bytes.length / elementBytes;
    for (int plane = 0; plane < elementBytes; plane++) {
      for (int i = 0; i < elements; i++) {
        planes[plane * elements + i] = bytes[i * elementBytes + plane];
      }
    }
    return planes;
  }
}
