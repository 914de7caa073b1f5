package dev.graft.runtime;

import dev.graft.tensor.DType;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/**
 * How integers and truth values of whole bytes lie in memory.
 *
 * @param dtype the element type
 * @param width bytes of one element
 * @param min the least value; uint64 is confined to what a long holds
 * @param max the greatest value
 */
record IntegerLayout(DType dtype, int width, long min, long max) {

  private static final ValueLayout.OfShort I16 =
      ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfInt I32 =
      ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfLong I64 =
      ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  /** Whether elements of the type are integers or truth values that take whole bytes. */
  static boolean covers(DType dtype) {
    return switch (dtype) {
      case BOOL, UINT8, INT8, UINT16, INT16, UINT32, INT32, UINT64, INT64 -> true;
      default -> false;
    };
  }

  static IntegerLayout of(DType dtype) {
    int width = dtype.bits() / 8;
    return switch (dtype) {
      case BOOL -> new IntegerLayout(dtype, width, 0, 1);
      case UINT8, UINT16, UINT32 -> new IntegerLayout(dtype, width, 0, (1L << dtype.bits()) - 1);
      case INT8, INT16, INT32 ->
          new IntegerLayout(
              dtype, width, -(1L << (dtype.bits() - 1)), (1L << (dtype.bits() - 1)) - 1);
      case UINT64 -> new IntegerLayout(dtype, width, 0, Long.MAX_VALUE);
      case INT64 -> new IntegerLayout(dtype, width, Long.MIN_VALUE, Long.MAX_VALUE);
      default -> throw new IllegalArgumentException(dtype + " is no integer type of whole bytes");
    };
  }

  boolean holds(long value) {
    return value >= min && value <= max;
  }

  long get(MemorySegment data, long index) {
    boolean unsigned = min == 0;
    return switch (width) {
      case 1 -> {
        byte value = data.get(ValueLayout.JAVA_BYTE, index);
        yield unsigned ? Byte.toUnsignedLong(value) : value;
      }
      case 2 -> {
        short value = data.get(I16, 2 * index);
        yield unsigned ? Short.toUnsignedLong(value) : value;
      }
      case 4 -> {
        int value = data.get(I32, 4 * index);
        yield unsigned ? Integer.toUnsignedLong(value) : value;
      }
      default -> data.get(I64, 8 * index);
    };
  }

  void set(MemorySegment data, long index, long value) {
    if (!holds(value)) {
      throw new ArithmeticException(
          "element %d is %d, which %s cannot hold".formatted(index, value, dtype));
    }
    switch (width) {
      case 1 -> data.set(ValueLayout.JAVA_BYTE, index, (byte) value);
      case 2 -> data.set(I16, 2 * index, (short) value);
      case 4 -> data.set(I32, 4 * index, (int) value);
      default -> data.set(I64, 8 * index, value);
    }
  }
}
