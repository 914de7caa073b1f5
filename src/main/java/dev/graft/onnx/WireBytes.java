package dev.graft.onnx;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;

/** Writes single fields in protobuf's wire format, for what is spliced into an existing file. */
final class WireBytes {

  private final ByteArrayOutputStream out = new ByteArrayOutputStream();

  static byte[] varint(long value) {
    return new WireBytes().rawVarint(value).toByteArray();
  }

  /** The tag of a length-delimited field and its length, for contents that follow elsewhere. */
  static byte[] header(int field, long length) {
    return new WireBytes()
        .rawVarint(((long) field << 3) | WireCursor.BYTES)
        .rawVarint(length)
        .toByteArray();
  }

  WireBytes bytes(int field, byte[] value) {
    rawVarint(((long) field << 3) | WireCursor.BYTES);
    rawVarint(value.length);
    out.writeBytes(value);
    return this;
  }

  WireBytes string(int field, String value) {
    return bytes(field, value.getBytes(StandardCharsets.UTF_8));
  }

  WireBytes number(int field, long value) {
    return rawVarint(((long) field << 3) | WireCursor.VARINT).rawVarint(value);
  }

  byte[] toByteArray() {
    return out.toByteArray();
  }

  private WireBytes rawVarint(long value) {
    long rest = value;
    while ((rest & ~0x7fL) != 0) {
      out.write((int) (rest & 0x7f) | 0x80);
      rest >>>= 7;
    }
    out.write((int) rest);
    return this;
  }
}
