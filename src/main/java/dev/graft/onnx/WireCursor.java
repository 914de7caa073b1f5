package dev.graft.onnx;

import dev.graft.error.FormatException;
import dev.graft.io.InputFile;
import java.nio.ByteBuffer;

/**
 * Reads protobuf's wire format from a file through a small window, so that what is skipped is never
 * read.
 */
final class WireCursor {

  static final int VARINT = 0;
  static final int FIXED64 = 1;
  static final int BYTES = 2;
  static final int FIXED32 = 5;

  private static final int WINDOW_BYTES = 1 << 16;
  private static final int MAX_PLAIN_BYTES = 1 << 28;

  private final InputFile file;
  private final long fileLength;
  private final ByteBuffer window = ByteBuffer.allocate(WINDOW_BYTES);
  private long windowStart;
  private long position;

  WireCursor(InputFile file) {
    this.file = file;
    this.fileLength = file.size();
    window.limit(0);
  }

  long position() {
    return position;
  }

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
      throw broken("no field has the tag " + tag);
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
          "%s: byte %d announces %s bytes, but its message ends after %d; the file is truncated or not ONNX"
              .formatted(file.path(), start, Long.toUnsignedString(length), limit - position));
    }
    return position + length;
  }

  /** Moves behind the value of a field with this wire type. */
  void skip(int wireType, long limit) {
    switch (wireType) {
      case VARINT -> varint(limit);
      case FIXED64 -> advance(8, limit);
      case BYTES -> position = lengthEnd(limit);
      case FIXED32 -> advance(4, limit);
      default -> throw broken("wire type " + wireType + " is not used by ONNX");
    }
  }

  /** Copies plain bytes; only payloads may be large, so a long run of anything else is refused. */
  byte[] bytes(long from, long to) {
    if (to - from > MAX_PLAIN_BYTES) {
      throw new FormatException(
          "%s: bytes %d to %d are neither nodes nor tensor data; no ONNX model has so much of anything else"
              .formatted(file.path(), from, to));
    }
    byte[] copy = new byte[Math.toIntExact(to - from)];
    if (to - from <= window.limit() && from >= windowStart && to <= windowStart + window.limit()) {
      window.get(Math.toIntExact(from - windowStart), copy);
    } else {
      file.readFully(ByteBuffer.wrap(copy), from);
    }
    return copy;
  }

  FormatException broken(String what) {
    return new FormatException(
        "%s: byte %d: %s; the file is truncated or not ONNX"
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
    if (at < 0 || at >= window.limit()) {
      fill();
      at = 0;
    }
    position++;
    return window.get((int) at);
  }

  private void fill() {
    window.clear();
    window.limit((int) Math.min(WINDOW_BYTES, fileLength - position));
    file.readFully(window, position);
    window.flip();
    windowStart = position;
  }
}
