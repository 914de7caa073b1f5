package dev.graft.onnx;

import dev.graft.error.FormatException;
import dev.graft.error.UnsupportedException;
import dev.graft.io.ByteSource;
import dev.graft.tensor.DType;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * Decodes weights that stand in {@code float_data} or {@code int32_data} instead of {@code
 * raw_data}. ONNX keeps float16 and bfloat16 as their bit patterns in {@code int32_data}.
 */
public final class TypedValues {

  /** Larger typed tensors are refused: they cannot be folded without holding them in memory. */
  public static final long MAX_BYTES = 64L << 20;

  /** A negative number takes ten bytes as a varint, and one more for a tag of its own. */
  private static final int MAX_VALUE_BYTES = 11;

  private static final int FLOAT_DATA = 4;
  private static final int INT32_DATA = 5;

  private final StoredTensor tensor;
  private final WireCursor cursor;
  private final ByteBuffer out;
  private final int field;

  private TypedValues(StoredTensor tensor, ByteSource file) {
    this.tensor = tensor;
    this.cursor = new WireCursor(file);
    this.field = tensor.dtype() == DType.FLOAT32 ? FLOAT_DATA : INT32_DATA;
    this.out = ByteBuffer.allocate((int) tensor.bytes()).order(ByteOrder.LITTLE_ENDIAN);
  }

  /**
   * The values as {@code raw_data} would have them.
   *
   * @throws UnsupportedException if the tensor is larger than {@link #MAX_BYTES} or of a type that
   *     is never folded
   * @throws FormatException if the values do not fit the type, or their number the shape
   */
  public static byte[] decode(StoredTensor tensor, ByteSource file) {
    if (!tensor.dtype().isFoldable() || tensor.storage() != StoredTensor.Storage.TYPED) {
      throw new UnsupportedException(
          "%s: tensor '%s' keeps %s values in typed fields; Graft reads floats there only"
              .formatted(file.path(), tensor.label(), tensor.dtype()));
    }
    long messageBytes = tensor.span().bodyEnd() - tensor.span().bodyStart();
    if (tensor.bytes() > MAX_BYTES || messageBytes > MAX_VALUE_BYTES * MAX_BYTES / 2) {
      throw new UnsupportedException(
          "%s: tensor '%s' keeps %,d bytes in typed fields (float_data, int32_data); over %,d Graft refuses. Load and save the model once with the onnx package: it writes raw_data"
              .formatted(
                  file.path(), tensor.label(), Math.max(tensor.bytes(), messageBytes), MAX_BYTES));
    }
    if (tensor.shape().elements() > messageBytes) {
      // Known before anything is allocated: no value takes less than a byte.
      throw wrongCount(tensor, file, "fewer");
    }
    return new TypedValues(tensor, file).decode(file);
  }

  private byte[] decode(ByteSource file) {
    long end = tensor.span().bodyEnd();
    int single = field == FLOAT_DATA ? WireCursor.FIXED32 : WireCursor.VARINT;
    cursor.seek(tensor.span().bodyStart());
    while (cursor.position() < end) {
      int tag = cursor.tag(end);
      if (tag == ((field << 3) | WireCursor.BYTES)) {
        long runEnd = cursor.lengthEnd(end);
        while (cursor.position() < runEnd) {
          value(file, runEnd);
        }
      } else if (tag == ((field << 3) | single)) {
        value(file, end);
      } else {
        cursor.skip(tag & 7, end);
      }
    }
    if (out.hasRemaining()) {
      throw wrongCount(tensor, file, "fewer");
    }
    return out.array();
  }

  private void value(ByteSource file, long limit) {
    if (!out.hasRemaining()) {
      throw wrongCount(tensor, file, "more");
    }
    if (field == FLOAT_DATA) {
      out.putInt(cursor.fixed32(limit));
      return;
    }
    int value = (int) cursor.varint(limit);
    if (value < Short.MIN_VALUE || value > 0xffff) {
      throw new FormatException(
          "%s: tensor '%s' has the value %d in int32_data, which is no bit pattern of a %s; the file is damaged"
              .formatted(file.path(), tensor.label(), value, tensor.dtype()));
    }
    out.putShort((short) value);
  }

  private static FormatException wrongCount(StoredTensor tensor, ByteSource file, String which) {
    return new FormatException(
        "%s: tensor '%s' has %s values in its typed field than shape %s asks for; the file is damaged"
            .formatted(file.path(), tensor.label(), which, tensor.shape()));
  }
}
