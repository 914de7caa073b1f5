package dev.graft.tensor;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/**
 * Turns little-endian float32, float16 and bfloat16 into float and back, rounding half to even. One
 * instance holds scratch arrays and serves one thread.
 *
 * <p>The loops are split the way they are because C2 vectorises an {@code int[]} loop, a narrowing
 * loop and a bulk copy, but not the three in one.
 */
public final class FloatCodec {

  private static final ValueLayout.OfFloat F32 =
      ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfShort I16 =
      ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  private final DType type;
  private final short[] halves;
  private final int[] bits;

  /**
   * Makes a codec.
   *
   * @param type a foldable type
   * @param capacity the most elements that one call converts
   */
  public FloatCodec(DType type, int capacity) {
    if (!type.isFoldable()) {
      throw new IllegalArgumentException("no float codec for " + type);
    }
    this.type = type;
    this.halves = new short[type == DType.FLOAT32 ? 0 : capacity];
    this.bits = new int[type == DType.BFLOAT16 ? capacity : 0];
  }

  /**
   * Reads {@code count} elements that begin at byte {@code offset} into the front of {@code into}.
   */
  public void decode(MemorySegment from, long offset, float[] into, int count) {
    if (type == DType.FLOAT32) {
      MemorySegment.copy(from, F32, offset, into, 0, count);
      return;
    }
    MemorySegment.copy(from, I16, offset, halves, 0, count);
    if (type == DType.FLOAT16) {
      fromFloat16(into, count);
    } else {
      fromBfloat16(into, count);
    }
  }

  /**
   * Writes the first {@code count} elements of {@code from}, each rounded once, from byte {@code
   * offset} on.
   */
  public void encode(float[] from, int count, MemorySegment into, long offset) {
    if (type == DType.FLOAT32) {
      MemorySegment.copy(from, 0, into, F32, offset, count);
      return;
    }
    if (type == DType.FLOAT16) {
      toFloat16(from, count);
    } else {
      toBfloat16(from, count);
    }
    MemorySegment.copy(halves, 0, into, I16, offset, count);
  }

  // Each loop is a method of its own: what is not used need not be compiled.

  private void fromFloat16(float[] into, int count) {
    for (int i = 0; i < count; i++) {
      into[i] = Float.float16ToFloat(halves[i]);
    }
  }

  private void fromBfloat16(float[] into, int count) {
    for (int i = 0; i < count; i++) {
      into[i] = Float.intBitsToFloat(halves[i] << 16);
    }
  }

  private void toFloat16(float[] from, int count) {
    for (int i = 0; i < count; i++) {
      halves[i] = Float.floatToFloat16(from[i]);
    }
  }

  private void toBfloat16(float[] from, int count) {
    for (int i = 0; i < count; i++) {
      bits[i] = bfloat16Bits(Float.floatToRawIntBits(from[i]));
    }
    for (int i = 0; i < count; i++) {
      halves[i] = (short) bits[i];
    }
  }

  /**
   * The upper half of a float's bits, rounded half to even. A NaN keeps its sign and stays quiet
   * instead of carrying over into infinity.
   */
  public static int bfloat16Bits(int float32Bits) {
    int rounded = (float32Bits + 0x7fff + ((float32Bits >>> 16) & 1)) >>> 16;
    int quiet = (float32Bits >>> 16) | 0x40;
    int isNan = (0x7f800000 - (float32Bits & 0x7fffffff)) >> 31;
    return (rounded & ~isNan) | (quiet & isNan);
  }
}
