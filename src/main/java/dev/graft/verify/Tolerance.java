package dev.graft.verify;

import dev.graft.runtime.HostTensor;
import dev.graft.tensor.DType;
import java.util.OptionalDouble;

/**
 * How far an output may be from the reference: {@code |output - reference| <= atol + rtol *
 * |reference|} for every element. Equal infinities are equal; NaN never is.
 *
 * @param atol the absolute part where both sides are float32 or wider, or integers
 * @param halfAtol the absolute part where either side is stored in 16 bits or fewer
 * @param rtol the relative part
 */
public record Tolerance(double atol, double halfAtol, double rtol) {

  private static final double ATOL = 1e-4;
  private static final double HALF_ATOL = 1e-2;
  private static final double RTOL = 1e-3;

  /** Refuses what is negative or no number. */
  public Tolerance {
    if (!(atol >= 0 && halfAtol >= 0 && rtol >= 0)) {
      throw new IllegalArgumentException(
          "tolerances cannot be negative: atol %s, rtol %s"
              .formatted(Math.min(atol, halfAtol), rtol));
    }
  }

  /** 1e-4 absolute, 1e-2 in half precision, and 1e-3 relative. */
  public static Tolerance defaults() {
    return new Tolerance(ATOL, HALF_ATOL, RTOL);
  }

  /** The defaults where a part is not given; a given absolute part holds in half precision too. */
  public static Tolerance of(OptionalDouble atol, OptionalDouble rtol) {
    return new Tolerance(atol.orElse(ATOL), atol.orElse(HALF_ATOL), rtol.orElse(RTOL));
  }

  /** The absolute part for an output and a reference of these types. */
  public double atolFor(DType output, DType reference) {
    return isHalf(output) || isHalf(reference) ? halfAtol : atol;
  }

  private static boolean isHalf(DType dtype) {
    return dtype.bits() <= 16 && !HostTensor.isInteger(dtype);
  }
}
