package dev.graft.onnx;

import dev.graft.error.FormatException;
import dev.graft.io.ByteSource;
import java.lang.foreign.MemorySegment;

/**
 * Reads protobuf's wire format from a file through a window, so that what is skipped is never read.
 * The window is small after a jump and grows while reading goes straight on.
 */
final class WireCursor {

  static final int VARINT = 0;
  static final int FIXED64 = 1;
  static final int BYTES = 2;
  static final int FIXED32 = 5;

  private static final int FIRST_WINDOW = 1 << 16;
  private static final int SMALLEST_WINDOW = 1 << 12;
  private static final int LARGEST_WINDOW = 1 << 20;

  private final ByteSource file;
  private final long fileLength;
  private byte[] window = new byte[0];
  private long windowStart;
  private int filled;
  private long position;

  WireCursor(ByteSource file) {
    this.file = file;
    this.fileLength = file.size();
  }

  long position() {
    return position;
  }

  /** Moves; the window stays where it is until something outside it is read. */
  void seek(long to) {
    position = to;
  }

  /** A varint that must end before {@code limit}. */
  long varint(long limit) {
    long value = 0;
    for (int shift = 0; shift < 70; shift += 7) {
      if (position >= limit) {
        throw broken("a varint runs past the end of its message");
      }
      byte b = next();
      value |= (long) (b & 0x7f) << shift;
      if (b >= 0) {
        return value;
      }
    }
    throw broken("a varint is longer than 10 bytes");
  }

  /** Four little-endian bytes that must end before {@code limit}. */
  int fixed32(long limit) {
    if (limit - position < 4) {
      throw broken("a 4-byte value runs past the end of its message");
    }
    return (next() & 0xff) | (next() & 0xff) << 8 | (next() & 0xff) << 16 | next() << 24;
  }

  /** Reads a tag; the field number is checked, the wire type is for the caller to judge. */
  int tag(long limit) {
    long tag = varint(limit);
    if (tag >>> 32 != 0 || tag >>> 3 == 0) {
      throw broken("no field has the tag " + Long.toUnsignedString(tag));
    }
    return (int) tag;
  }

  /**
   * Reads a length prefix and returns the end of what it announces, checked against {@code limit}.
   */
  long lengthEnd(long limit) {
    long start = position;
    long length = varint(limit);
    if (length < 0 || length > limit - position) {
      throw new FormatException(
          "%s: byte %d announces %s bytes, but its message ends after %d; the file is truncated or is not an ONNX model"
              .formatted(file.path(), start, Long.toUnsignedString(length), limit - position));
    }
    return position + length;
  }

  /** Moves behind the value of a field with this wire type. */
  void skip(int wireType, long limit) {
    switch (wireType) {
      case VARINT -> varint(limit);
      case FIXED64 -> advance(8, limit);
      case BYTES -> seek(lengthEnd(limit));
      case FIXED32 -> advance(4, limit);
      default -> throw broken("wire type " + wireType + " is not used by ONNX");
    }
  }

  /** Copies the bytes from a position on, up to {@code length} of them, without moving. */
  void copy(long from, byte[] into, int at, int length) {
    if (from >= windowStart && from + length <= windowStart + filled) {
      System.arraycopy(window, (int) (from - windowStart), into, at, length);
      return;
    }
    // In steps: the JDK copies through a direct buffer as large as the read, and keeps it.
    for (int done = 0; done < length; done += LARGEST_WINDOW) {
      int step = Math.min(LARGEST_WINDOW, length - done);
      file.readFully(MemorySegment.ofArray(into).asSlice(at + done, step), from + done);
    }
  }

  FormatException broken(String what) {
    return new FormatException(
        "%s: byte %d: %s; the file is truncated or is not an ONNX model"
            .formatted(file.path(), position, what));
  }

  private void advance(int bytes, long limit) {
    if (bytes > limit - position) {
      throw broken("a " + bytes + "-byte value runs past the end of its message");
    }
    position += bytes;
  }

  private byte next() {
    long at = position - windowStart;
    if (at < 0 || at >= filled) {
      fill();
      at = 0;
    }
    position++;
    return window[(int) at];
  }

  private void fill() {
    int size = SMALLEST_WINDOW;
    if (position == windowStart + filled) {
      size = filled == 0 ? FIRST_WINDOW : Math.min(LARGEST_WINDOW, 4 * filled);
    }
    int wanted = (int) Math.min(size, fileLength - position);
    if (window.length < wanted) {
      window = new byte[wanted];
    }
    file.readFully(MemorySegment.ofArray(window).asSlice(0, wanted), position);
    windowStart = position;
    filled = wanted;
  }
}
