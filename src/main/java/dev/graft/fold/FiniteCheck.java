package dev.graft.fold;

import dev.graft.error.FormatException;
import dev.graft.tensor.DType;

/** Refuses values that are not finite, or would not be once they are rounded to the stored type. */
final class FiniteCheck {

  /** Smallest magnitudes, as float bits, that round to infinity (half to even). */
  private static final int FLOAT32_LIMIT = 0x7f800000;

  private static final int FLOAT16_LIMIT = Float.floatToRawIntBits(65520f);
  private static final int BFLOAT16_LIMIT = 0x7f7f8000;

  private final FoldedTensor tensor;
  private final int limit;

  FiniteCheck(FoldedTensor tensor) {
    this.tensor = tensor;
    DType type = tensor.dtype();
    this.limit =
        switch (type) {
          case FLOAT16 -> FLOAT16_LIMIT;
          case BFLOAT16 -> BFLOAT16_LIMIT;
          default -> FLOAT32_LIMIT;
        };
  }

  /** Looks at {@code count} values, the first of which is element {@code first} of the tensor. */
  void check(float[] values, int count, long first) {
    // The largest magnitude as an integer: NaN and infinity lie above every finite value. C2
    // vectorises it.
    int largest = 0;
    for (int i = 0; i < count; i++) {
      largest = Math.max(largest, Float.floatToRawIntBits(values[i]) & 0x7fffffff);
    }
    if (largest < limit) {
      return;
    }
    for (int i = 0; i < count; i++) {
      if ((Float.floatToRawIntBits(values[i]) & 0x7fffffff) >= limit) {
        throw new FormatException(
            "tensor '%s' (%s): element %d would become %s, which %s cannot hold; a fold never writes NaN or infinity"
                .formatted(
                    tensor.outputName(), tensor.targets(), first + i, values[i], tensor.dtype()));
      }
    }
  }
}
