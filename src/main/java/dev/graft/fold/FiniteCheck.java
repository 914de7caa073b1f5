package dev.graft.fold;

import dev.graft.error.FormatException;
import dev.graft.tensor.DType;

/**
 * Refuses values that are not finite, or would not be once they are rounded to the stored type. It
 * takes note of the rows one after another and is asked once for many: the largest magnitudes are
 * kept by column, because that is a loop that C2 vectorises.
 */
final class FiniteCheck {

  /** The smallest magnitudes that round to infinity (half to even). */
  private static final float FLOAT16_LIMIT = 65520f;

  private static final float BFLOAT16_LIMIT = Float.intBitsToFloat(0x7f7f8000);

  private final FoldedTensor tensor;
  private final float limit;
  private final float[] largest;

  /**
   * Begins to look at a tensor.
   *
   * @param tensor which one
   * @param rowLength the most values that a row has
   */
  FiniteCheck(FoldedTensor tensor, int rowLength) {
    this.tensor = tensor;
    this.largest = new float[rowLength];
    DType type = tensor.dtype();
    this.limit =
        switch (type) {
          case FLOAT16 -> FLOAT16_LIMIT;
          case BFLOAT16 -> BFLOAT16_LIMIT;
          default -> Float.POSITIVE_INFINITY;
        };
  }

  /** Takes note of a row before it is rounded. */
  void see(float[] values, int count) {
    float[] seen = largest;
    for (int i = 0; i < count; i++) {
      // A NaN stays: the maximum with it is NaN.
      seen[i] = Math.max(seen[i], Math.abs(values[i]));
    }
  }

  /** Whether all values so far can be stored. */
  boolean holds() {
    for (float magnitude : largest) {
      if (!(magnitude < limit)) {
        return false;
      }
    }
    return true;
  }

  /**
   * Names the value at fault if it is among these, which have been rounded.
   *
   * @param values rounded values
   * @param count how many
   * @param first which element of the tensor the first one is
   */
  void refuse(float[] values, int count, long first) {
    for (int i = 0; i < count; i++) {
      if (!Float.isFinite(values[i])) {
        throw new FormatException(
            "tensor '%s' (%s): element %d would become %s, because %s cannot hold the sum; a fold never writes NaN or infinity"
                .formatted(
                    tensor.outputName(), tensor.targets(), first + i, values[i], tensor.dtype()));
      }
    }
  }
}
