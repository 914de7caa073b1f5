package dev.graft.onnx;

import dev.graft.error.FormatException;
import dev.graft.error.UnsupportedException;
import dev.graft.io.InputFile;
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

  private final StoredTensor tensor;
  private final WireCursor cursor;
  private final ByteBuffer out;
  private final int field;

  private TypedValues(StoredTensor tensor, InputFile file) {
    this.tensor = tensor;
    this.cursor = new WireCursor(file);
    this.field = tensor.dtype() == DType.FLOAT32 ? 4 : 5;
    this.out = ByteBuffer.allocate((int) tensor.bytes()).order(ByteOrder.LITTLE_ENDIAN);
  }

  /**
   * The values as {@code raw_data} would have them.
   *
   * @throws UnsupportedException if the tensor is larger than {@link #MAX_BYTES} or of a type that
   *     is never folded
   * @throws FormatException if the number of values does not fit the shape
   */
  public static byte[] decode(StoredTensor tensor, InputFile file) {
    if (!tensor.dtype().isFoldable() || tensor.storage() != StoredTensor.Storage.TYPED) {
      throw new UnsupportedException(
          "tensor '%s' keeps %s values in typed fields; Graft reads floats there only"
              .formatted(tensor.label(), tensor.dtype()));
    }
    if (tensor.bytes() > MAX_BYTES
        || tensor.span().bodyEnd() - tensor.span().bodyStart() > 5 * MAX_BYTES) {
      throw new UnsupportedException(
          "tensor '%s' keeps %,d bytes in typed fields (float_data, int32_data); over %,d Graft refuses. Load and save the model once with the onnx package: it writes raw_data"
              .formatted(tensor.label(), tensor.bytes(), MAX_BYTES));
    }
    return new TypedValues(tensor, file).decode();
  }

  private byte[] decode() {
    long end = tensor.span().bodyEnd();
    cursor.seek(tensor.span().bodyStart());
    while (cursor.position() < end) {
      int tag = cursor.tag(end);
      if (tag >>> 3 != field) {
        cursor.skip(tag & 7, end);
      } else if ((tag & 7) == WireCursor.BYTES) {
        long runEnd = cursor.lengthEnd(end);
        while (cursor.position() < runEnd) {
          value(runEnd);
        }
      } else {
        value(end);
      }
    }
    if (out.hasRemaining()) {
      throw wrongCount("fewer");
    }
    return out.array();
  }

  private void value(long limit) {
    if (out.remaining() < tensor.dtype().bits() / 8) {
      throw wrongCount("more");
    }
    if (field == 4) {
      out.putInt(cursor.fixed32(limit));
    } else {
      out.putShort((short) cursor.varint(limit));
    }
  }

  private FormatException wrongCount(String which) {
    return new FormatException(
        "tensor '%s' has %s values in its typed field than shape %s asks for; the file is damaged"
            .formatted(tensor.label(), which, tensor.shape()));
  }
}
