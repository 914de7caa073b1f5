package dev.graft.safetensors;

import dev.graft.error.FormatException;
import dev.graft.error.UnsupportedException;
import dev.graft.io.InputFile;
import dev.graft.tensor.DType;
import dev.graft.tensor.FloatCodec;
import dev.graft.tensor.TensorSource;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.OptionalLong;

/**
 * Reads the data of tensors. Every read checks that the file still holds what its header promised.
 */
public final class SafetensorsData {

  private static final int CHUNK_BYTES = 1 << 18;
  private static final int MAX_ARRAY = Integer.MAX_VALUE - 8;
  private static final ValueLayout.OfLong I64 =
      ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  private SafetensorsData() {}

  /** Takes a decoded block; stops the reading by returning false. */
  private interface FloatBlock {
    boolean accept(float[] values, int count, long firstIndex);
  }

  /**
   * All elements in row-major order.
   *
   * @throws UnsupportedException if the type is not F32, F16 or BF16, or there are 2^31 elements or
   *     more
   * @throws FormatException if the file shrank or can no longer be read
   */
  public static float[] readFloats(SafetensorsTensor tensor) {
    try (InputFile file = open(tensor)) {
      return readFloats(tensor, file);
    }
  }

  /**
   * The same from an open file, for who reads many tensors.
   *
   * @throws UnsupportedException if the type is not F32, F16 or BF16, or there are 2^31 elements or
   *     more
   * @throws FormatException if the file shrank or can no longer be read
   */
  public static float[] readFloats(SafetensorsTensor tensor, InputFile file) {
    float[] all = new float[arrayLength(tensor, tensor.shape().elements())];
    decode(
        tensor,
        file,
        (values, count, first) -> {
          System.arraycopy(values, 0, all, (int) first, count);
          return true;
        });
    return all;
  }

  /**
   * The row-major index of the first NaN or infinity, empty if all are finite.
   *
   * @throws UnsupportedException if the type is not F32, F16 or BF16
   */
  public static OptionalLong firstNonFinite(SafetensorsTensor tensor) {
    long[] found = {-1};
    try (InputFile file = open(tensor)) {
      decode(
          tensor,
          file,
          (values, count, first) -> {
            for (int i = 0; i < count; i++) {
              if (!Float.isFinite(values[i])) {
                found[0] = first + i;
                return false;
              }
            }
            return true;
          });
    }
    return found[0] < 0 ? OptionalLong.empty() : OptionalLong.of(found[0]);
  }

  /**
   * All elements of an I64 tensor in row-major order.
   *
   * @throws UnsupportedException if the type is another
   */
  public static long[] readLongs(SafetensorsTensor tensor) {
    if (tensor.dtype() != DType.INT64) {
      throw new UnsupportedException(
          describe(tensor) + ": found " + tensor.dtype() + ", expected I64");
    }
    return MemorySegment.ofArray(readBytes(tensor)).toArray(I64);
  }

  /** The bytes as they lie in the file, at most 2^31. */
  public static byte[] readBytes(SafetensorsTensor tensor) {
    byte[] bytes = new byte[arrayLength(tensor, tensor.source().length())];
    read(tensor, 0, MemorySegment.ofArray(bytes));
    return bytes;
  }

  /** Whether two tensors have the same type, shape and bytes; reads both in small pieces. */
  public static boolean isSame(SafetensorsTensor a, SafetensorsTensor b) {
    if (a.dtype() != b.dtype() || !a.shape().equals(b.shape())) {
      return false;
    }
    MemorySegment left = MemorySegment.ofArray(new byte[CHUNK_BYTES]);
    MemorySegment right = MemorySegment.ofArray(new byte[CHUNK_BYTES]);
    long length = a.source().length();
    for (long done = 0; done < length; done += CHUNK_BYTES) {
      long count = Math.min(CHUNK_BYTES, length - done);
      read(a, done, left.asSlice(0, count));
      read(b, done, right.asSlice(0, count));
      if (left.asSlice(0, count).mismatch(right.asSlice(0, count)) >= 0) {
        return false;
      }
    }
    return true;
  }

  /**
   * Fills a segment with the tensor's bytes from one of them on.
   *
   * @param tensor what to read
   * @param offset first byte, counted from the tensor's start
   * @param into receives exactly its own size, at most 2^31 - 1 bytes
   * @throws FormatException if the file shrank or can no longer be read
   */
  public static void read(SafetensorsTensor tensor, long offset, MemorySegment into) {
    try (InputFile file = open(tensor)) {
      read(tensor, file, offset, into);
    }
  }

  /**
   * The same from a file that {@link #open} has opened, for who reads many pieces.
   *
   * @throws FormatException if the file shrank or can no longer be read
   */
  public static void read(
      SafetensorsTensor tensor, InputFile file, long offset, MemorySegment into) {
    TensorSource source = tensor.source();
    if (offset < 0 || into.byteSize() > source.length() - offset) {
      throw new IllegalArgumentException(
          describe(tensor) + ": no " + into.byteSize() + " bytes from " + offset + " on");
    }
    file.readFully(into, source.offset() + offset);
  }

  /**
   * Opens the file that holds a tensor.
   *
   * @throws FormatException if the file is gone or shrank
   */
  public static InputFile open(SafetensorsTensor tensor) {
    InputFile file = InputFile.open(tensor.source().file());
    if (file.size() < tensor.source().end()) {
      long size = file.size();
      file.close();
      throw new FormatException(
          describe(tensor)
              + " ends at byte "
              + tensor.source().end()
              + ", but the file has only "
              + size
              + "; it shrank since it was opened");
    }
    return file;
  }

  private static void decode(SafetensorsTensor tensor, InputFile file, FloatBlock block) {
    DType dtype = tensor.dtype();
    if (!dtype.isFoldable()) {
      throw new UnsupportedException(
          describe(tensor)
              + " has type "
              + dtype.safetensorsName()
              + ", but only F32, F16 and BF16 are read as numbers; save the adapter in one of these");
    }
    int elementBytes = dtype.bits() / 8;
    long elements = tensor.shape().elements();
    int capacity = (int) Math.min(CHUNK_BYTES / elementBytes, elements);
    FloatCodec codec = new FloatCodec(dtype, capacity);
    float[] values = new float[capacity];
    ByteBuffer bytes = ByteBuffer.allocate(capacity * elementBytes);
    for (long done = 0; done < elements; done += capacity) {
      int count = (int) Math.min(capacity, elements - done);
      bytes.clear().limit(count * elementBytes);
      file.readFully(bytes, tensor.source().offset() + done * elementBytes);
      codec.decode(MemorySegment.ofArray(bytes.array()), 0, values, count);
      if (!block.accept(values, count, done)) {
        return;
      }
    }
  }

  private static int arrayLength(SafetensorsTensor tensor, long length) {
    if (length > MAX_ARRAY) {
      throw new UnsupportedException(
          describe(tensor)
              + " has "
              + length
              + " elements or bytes, more than one array can hold (2^31)");
    }
    return (int) length;
  }

  private static String describe(SafetensorsTensor tensor) {
    return tensor.source().file() + ": tensor " + StrictJson.excerpt(tensor.name());
  }
}
