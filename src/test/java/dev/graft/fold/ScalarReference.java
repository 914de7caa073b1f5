package dev.graft.fold;

import java.math.BigDecimal;

/**
 * The documented arithmetic of a fold, written down one element at a time and sharing nothing with
 * the kernel: float32, j ascending, one fma a term, the scaled sum rounded, added, rounded once to
 * the type.
 */
final class ScalarReference {

  private ScalarReference() {}

  /**
   * One element of W + s·B·A.
   *
   * @param w the stored value
   * @param a A, {@code [r][in]}
   * @param b B, {@code [out][r]}
   * @param s the scale
   * @param o which output
   * @param i which input
   */
  static float element(float w, float[][] a, float[][] b, float s, int o, int i) {
    float sum = 0f;
    for (int j = 0; j < a.length; j++) {
      sum = fused(b[o][j], a[j][i], sum);
    }
    return w + s * sum;
  }

  /** The same by the hardware's fma, for models with too many weights for exact decimals. */
  static float fastElement(float w, Factors factors, int o, int i) {
    float sum = 0f;
    for (int j = 0; j < factors.rank(); j++) {
      sum = Math.fma(factors.b()[o * factors.rank() + j], factors.a()[j * factors.in() + i], sum);
    }
    return w + factors.scale() * sum;
  }

  /** A {@code [r][in]} and B {@code [out][r]}, row after row. */
  @SuppressWarnings("ArrayRecordComponent")
  record Factors(float[] a, float[] b, int rank, int in, float scale) {}

  /** x·y + z rounded once, through exact decimal arithmetic. */
  private static float fused(float x, float y, float z) {
    BigDecimal exact = new BigDecimal(x).multiply(new BigDecimal(y)).add(new BigDecimal(z));
    return exact.signum() == 0 ? x * y + z : exact.floatValue();
  }

  /** The bit pattern of a value rounded to bfloat16, half to even, through its two neighbours. */
  static short bfloat16(float value) {
    int bits = Float.floatToRawIntBits(value);
    int low = bits >>> 16;
    float below = Float.intBitsToFloat(low << 16);
    float above = Float.intBitsToFloat((low + 1) << 16);
    double toBelow = Math.abs((double) value - below);
    double toAbove = Math.abs((double) above - value);
    if (toBelow == toAbove) {
      return (short) ((low & 1) == 0 ? low : low + 1);
    }
    return (short) (toBelow < toAbove ? low : low + 1);
  }
}
