package dev.graft.undo;

import java.io.ByteArrayOutputStream;

/**
 * Single values that no rule gives back, with their places: pairs of the distance from the place
 * before and the value's bits, each as a variable-length number of 7 bits a byte, lowest first.
 */
final class Exceptions {

  private Exceptions() {}

  /** Writes them in ascending order of their places. */
  static final class Writer {
    private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    private long last = -1;

    void add(long position, int bits) {
      number(position - last - 1);
      number(Integer.toUnsignedLong(bits));
      last = position;
    }

    byte[] toByteArray() {
      return bytes.toByteArray();
    }

    private void number(long value) {
      long rest = value;
      while (rest >= 0x80) {
        bytes.write((int) (rest & 0x7f) | 0x80);
        rest >>>= 7;
      }
      bytes.write((int) rest);
    }
  }

  /** Reads them. */
  static final class Reader {
    private final byte[] bytes;
    private int next;
    private long position = -1;
    private int bits;

    Reader(byte[] bytes) {
      this.bytes = bytes;
      advance();
    }

    /** The place of the present one, or {@link Long#MAX_VALUE} behind the last. */
    long position() {
      return position;
    }

    int bits() {
      return bits;
    }

    /** Goes on to the next one. */
    void advance() {
      if (next == bytes.length) {
        position = Long.MAX_VALUE;
        return;
      }
      position = Math.addExact(Math.addExact(position, number()), 1);
      bits = (int) number();
    }

    private long number() {
      long value = 0;
      for (int shift = 0; shift < 63; shift += 7) {
        byte one = bytes[next++];
        value |= (one & 0x7fL) << shift;
        if (one >= 0) {
          return value;
        }
      }
      throw new ArithmeticException("a number of more than 63 bits");
    }
  }
}
