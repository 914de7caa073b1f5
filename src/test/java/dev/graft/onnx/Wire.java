package dev.graft.onnx;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;

/** Protobuf by hand, also the kinds that no serialiser writes. */
final class Wire {

  private Wire() {}

  static byte[] join(byte[]... parts) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    for (byte[] part : parts) {
      out.writeBytes(part);
    }
    return out.toByteArray();
  }

  static byte[] raw(int... bytes) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    for (int b : bytes) {
      out.write(b);
    }
    return out.toByteArray();
  }

  static byte[] number(long value) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    long rest = value;
    do {
      int low = (int) (rest & 0x7f);
      rest >>>= 7;
      out.write(rest == 0 ? low : low | 0x80);
    } while (rest != 0);
    return out.toByteArray();
  }

  static byte[] varint(int field, long value) {
    return join(number((long) field << 3), number(value));
  }

  static byte[] message(int field, byte[]... body) {
    byte[] whole = join(body);
    return join(number(((long) field << 3) | 2), number(whole.length), whole);
  }

  static byte[] string(int field, String text) {
    return message(field, text.getBytes(StandardCharsets.UTF_8));
  }

  static byte[] fixed32(int field, int value) {
    return join(number(((long) field << 3) | 5), little(value, 4));
  }

  static byte[] fixed64(int field, long value) {
    return join(number(((long) field << 3) | 1), little(value, 8));
  }

  static byte[] floats(float... values) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    for (float value : values) {
      out.writeBytes(little(Float.floatToRawIntBits(value), 4));
    }
    return out.toByteArray();
  }

  /** A model whose graph has this body. */
  static byte[] model(byte[]... graph) {
    return join(varint(1, 8), message(7, graph));
  }

  /** A graph with one initializer of this body. */
  static byte[] modelWithTensor(byte[]... tensor) {
    return model(message(5, tensor));
  }

  private static byte[] little(long value, int bytes) {
    byte[] out = new byte[bytes];
    for (int i = 0; i < bytes; i++) {
      out[i] = (byte) (value >>> (8 * i));
    }
    return out;
  }
}
