package dev.graft.undo;

import dev.graft.tensor.FloatCodec;

/** Subtracts what was added. Loops that the compiler vectorises, one for each type. */
final class Guesses {

  private Guesses() {}

  /** Makes {@code round(after − added)} of each value. */
  static void of(Grid grid, float[] after, float[] added, float[] into, int count) {
    for (int i = 0; i < count; i++) {
      into[i] = after[i] - added[i];
    }
    switch (grid) {
      case FLOAT32 -> {
        // The difference is a float32 already.
      }
      case FLOAT16 -> roundToFloat16(into, count);
      case BFLOAT16 -> roundToBfloat16(into, count);
    }
  }

  private static void roundToFloat16(float[] values, int count) {
    for (int i = 0; i < count; i++) {
      values[i] = Float.float16ToFloat(Float.floatToFloat16(values[i]));
    }
  }

  private static void roundToBfloat16(float[] values, int count) {
    for (int i = 0; i < count; i++) {
      int rounded = FloatCodec.bfloat16Bits(Float.floatToRawIntBits(values[i]));
      values[i] = Float.intBitsToFloat(rounded << 16);
    }
  }
}
