package dev.graft.undo;

import java.util.Arrays;

/** Appends numbers of up to 32 bits to a growing array, the first bit lowest. */
final class BitWriter {

  private byte[] bytes = new byte[256];
  private int length;
  private long pending;
  private int pendingBits;

  /**
   * Appends a number.
   *
   * @param value the number; only its lowest bits count
   * @param bits how many, 0 to 32
   */
  void write(int value, int bits) {
    pending |= (value & mask(bits)) << pendingBits;
    pendingBits += bits;
    while (pendingBits >= Byte.SIZE) {
      append((byte) pending);
      pending >>>= Byte.SIZE;
      pendingBits -= Byte.SIZE;
    }
  }

  /** Everything that was written, the last byte filled with zeros. */
  byte[] toByteArray() {
    byte[] all = Arrays.copyOf(bytes, length + (pendingBits > 0 ? 1 : 0));
    if (pendingBits > 0) {
      all[length] = (byte) pending;
    }
    return all;
  }

  static long mask(int bits) {
    return (1L << bits) - 1;
  }

  private void append(byte one) {
    if (length == bytes.length) {
      bytes = Arrays.copyOf(bytes, Math.multiplyExact(length, 2));
    }
    bytes[length++] = one;
  }
}
