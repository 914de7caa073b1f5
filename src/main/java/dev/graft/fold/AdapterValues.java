package dev.graft.fold;

import dev.graft.error.FormatException;
import dev.graft.safetensors.SafetensorsData;
import dev.graft.safetensors.SafetensorsTensor;

/**
 * The adapter's numbers, none of them NaN or infinite. The fold checks its results as well; this
 * names the tensor that is at fault.
 */
final class AdapterValues {

  private AdapterValues() {}

  /**
   * A whole tensor.
   *
   * @throws FormatException if a value is not finite
   */
  static float[] read(SafetensorsTensor tensor) {
    float[] values = SafetensorsData.readFloats(tensor);
    requireFinite(tensor, values, values.length, 0);
    return values;
  }

  /**
   * Looks at {@code count} values, the first of which is element {@code first} of the tensor.
   *
   * @throws FormatException if one is not finite
   */
  static void requireFinite(SafetensorsTensor tensor, float[] values, int count, long first) {
    for (int i = 0; i < count; i++) {
      if (!Float.isFinite(values[i])) {
        throw new FormatException(
            "%s: tensor '%s' holds %s at index %d; the adapter is damaged or its training diverged"
                .formatted(tensor.source().file(), tensor.name(), values[i], first + i));
      }
    }
  }
}
