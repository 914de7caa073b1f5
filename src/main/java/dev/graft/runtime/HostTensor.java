package dev.graft.runtime;

import dev.graft.tensor.DType;
import dev.graft.tensor.FloatCodec;
import dev.graft.tensor.Shape;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/**
 * A tensor in the process's own memory: little endian, row major, without gaps. The data is not
 * copied; it must stay alive and unchanged for as long as the tensor is used.
 *
 * @param dtype the element type, not STRING
 * @param shape the dimensions; a length of 0 is fine
 * @param data exactly the bytes that type and shape need
 */
public record HostTensor(DType dtype, Shape shape, MemorySegment data) {

  private static final ValueLayout.OfDouble F64 =
      ValueLayout.JAVA_DOUBLE_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final int BLOCK = 4096;

  /** Where the kernels of ONNX Runtime like tensors to begin: at a multiple of so many bytes. */
  static final long ALIGNMENT = 64;

  /** Checks that the data is as long as type and shape need. */
  public HostTensor {
    if (dtype == DType.STRING) {
      throw new IllegalArgumentException("a host tensor cannot hold strings");
    }
    long needed = dtype.bytes(shape.elements());
    if (data.byteSize() != needed) {
      throw new IllegalArgumentException(
          "%s %s needs %d bytes, not %d".formatted(dtype, shape, needed, data.byteSize()));
    }
  }

  /** A tensor of zeros to be filled through its data; it lives as long as the arena. */
  public static HostTensor allocate(DType dtype, Shape shape, Arena arena) {
    return new HostTensor(dtype, shape, arena.allocate(dtype.bytes(shape.elements()), ALIGNMENT));
  }

  /** A float32 tensor. */
  public static HostTensor ofFloats(Shape shape, float... values) {
    return ofDoubles(DType.FLOAT32, shape, widened(values));
  }

  /** An int64 tensor. */
  public static HostTensor ofLongs(Shape shape, long... values) {
    return ofIntegers(DType.INT64, shape, values);
  }

  /**
   * A tensor of floats.
   *
   * @param dtype FLOAT32, FLOAT16, BFLOAT16 or FLOAT64; values are rounded to float32 first, then
   *     to the type, half to even
   * @param values one value for each element
   */
  public static HostTensor ofDoubles(DType dtype, Shape shape, double... values) {
    requireCount(shape, values.length);
    HostTensor tensor = allocate(dtype, shape, Arena.ofAuto());
    if (dtype == DType.FLOAT64) {
      MemorySegment.copy(values, 0, tensor.data, F64, 0, values.length);
      return tensor;
    }
    float[] narrow = new float[values.length];
    for (int i = 0; i < narrow.length; i++) {
      narrow[i] = (float) values[i];
    }
    new FloatCodec(dtype, narrow.length).encode(narrow, narrow.length, tensor.data, 0);
    return tensor;
  }

  /**
   * A tensor of whole numbers or truth values.
   *
   * @param dtype an integer type of whole bytes, or BOOL, where 0 is false and 1 is true
   * @param values one value for each element
   * @throws ArithmeticException if a value does not fit in the type; the message names it
   */
  public static HostTensor ofIntegers(DType dtype, Shape shape, long... values) {
    requireCount(shape, values.length);
    IntegerLayout layout = IntegerLayout.of(dtype);
    HostTensor tensor = allocate(dtype, shape, Arena.ofAuto());
    for (int i = 0; i < values.length; i++) {
      layout.set(tensor.data, i, values[i]);
    }
    return tensor;
  }

  /** Whether the elements are FLOAT32, FLOAT16, BFLOAT16 or FLOAT64. */
  public static boolean isFloat(DType dtype) {
    return dtype.isFoldable() || dtype == DType.FLOAT64;
  }

  /** Whether the elements are integers or truth values that take whole bytes. */
  public static boolean isInteger(DType dtype) {
    return IntegerLayout.covers(dtype);
  }

  /** Every element as float. Exact but for float64 and integers beyond 2<sup>24</sup>. */
  public float[] toFloats() {
    double[] values = toDoubles();
    float[] floats = new float[values.length];
    for (int i = 0; i < floats.length; i++) {
      floats[i] = (float) values[i];
    }
    return floats;
  }

  /** Every element as double, as {@link #read} gives it. */
  public double[] toDoubles() {
    double[] values = new double[Math.toIntExact(shape.elements())];
    read(0, values, values.length);
    return values;
  }

  /** Every element as long, true as 1; only for integers and truth values of whole bytes. */
  public long[] toLongs() {
    IntegerLayout layout = IntegerLayout.of(dtype);
    long[] values = new long[Math.toIntExact(shape.elements())];
    for (int i = 0; i < values.length; i++) {
      values[i] = layout.get(data, i);
    }
    return values;
  }

  /**
   * Reads elements as double; exact for all types but 64-bit integers beyond 2<sup>53</sup>. True
   * is 1.
   *
   * @param from index of the first element in row-major order
   * @param into takes the values at its front
   * @param count how many
   * @throws IllegalArgumentException if the type is neither {@linkplain #isFloat float} nor
   *     {@linkplain #isInteger integer}
   */
  public void read(long from, double[] into, int count) {
    if (dtype == DType.FLOAT64) {
      MemorySegment.copy(data, F64, 8 * from, into, 0, count);
    } else if (dtype.isFoldable()) {
      readFloats(from, into, count);
    } else {
      IntegerLayout layout = IntegerLayout.of(dtype);
      for (int i = 0; i < count; i++) {
        into[i] = layout.get(data, from + i);
      }
    }
  }

  private void readFloats(long from, double[] into, int count) {
    float[] block = new float[Math.min(count, BLOCK)];
    FloatCodec codec = new FloatCodec(dtype, block.length);
    for (int done = 0; done < count; ) {
      int step = Math.min(block.length, count - done);
      codec.decode(data, dtype.bytes(from + done), block, step);
      for (int i = 0; i < step; i++) {
        into[done + i] = block[i];
      }
      done += step;
    }
  }

  private static double[] widened(float[] values) {
    double[] wide = new double[values.length];
    for (int i = 0; i < wide.length; i++) {
      wide[i] = values[i];
    }
    return wide;
  }

  private static void requireCount(Shape shape, int values) {
    if (shape.elements() != values) {
      throw new IllegalArgumentException(
          "shape %s has %d elements, but %d values were given"
              .formatted(shape, shape.elements(), values));
    }
  }
}
