package dev.graft.onnx;

import com.google.protobuf.ByteString;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * Values that are known while a patch is planned, such as constants that new nodes read.
 *
 * @param bytes little-endian, in row-major order
 */
public record LiteralContent(ByteString bytes) implements TensorContent {

  /** Numbers of 32-bit floating point. */
  public static LiteralContent ofFloats(float... values) {
    ByteBuffer bytes =
        ByteBuffer.allocate(values.length * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
    for (float value : values) {
      bytes.putFloat(value);
    }
    return new LiteralContent(ByteString.copyFrom(bytes.flip()));
  }

  @Override
  public long lengthBytes() {
    return bytes.size();
  }
}
