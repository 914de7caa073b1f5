package dev.graft.undo;

/** Reads what a {@link BitWriter} wrote. */
final class BitReader {

  private final byte[] bytes;
  private int next;
  private long pending;
  private int pendingBits;

  BitReader(byte[] bytes) {
    this.bytes = bytes;
  }

  /**
   * Reads a number.
   *
   * @param bits how many, 0 to 32
   * @throws IndexOutOfBoundsException if there are not as many
   */
  int read(int bits) {
    while (pendingBits < bits) {
      pending |= (bytes[next++] & 0xffL) << pendingBits;
      pendingBits += Byte.SIZE;
    }
    int value = (int) (pending & BitWriter.mask(bits));
    pending >>>= bits;
    pendingBits -= bits;
    return value;
  }

  /** Whether nothing is left but the bits that fill the last byte. */
  boolean isAtEnd() {
    return next == bytes.length && pendingBits < Byte.SIZE && pending == 0;
  }
}
