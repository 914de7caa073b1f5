package dev.graft.verify;

import dev.graft.tensor.DType;
import dev.graft.tensor.Shape;
import java.util.List;
import java.util.Optional;

/**
 * How one output compares with its reference.
 *
 * @param name the output
 * @param reference the reference's name for it
 * @param dtype the output's element type
 * @param referenceDtype the reference's element type
 * @param shape the shape of both
 * @param atol the absolute tolerance that was applied
 * @param rtol the relative tolerance that was applied
 * @param errors the errors of all elements
 * @param argmax agreement of the largest entry along the last axis; empty below rank 2 and for
 *     integers
 * @param worst the element with the largest absolute error, the first of equals; empty if there is
 *     none
 */
public record OutputParity(
    String name,
    String reference,
    DType dtype,
    DType referenceDtype,
    Shape shape,
    double atol,
    double rtol,
    Errors errors,
    Optional<Argmax> argmax,
    Optional<Worst> worst) {

  /**
   * Errors over all elements. A pair of which one is NaN or infinite and the other is not the same
   * infinity counts as an infinite error.
   *
   * @param maxAbs the largest absolute error
   * @param maxRel the largest error relative to the reference, where that is not 0
   * @param meanAbs the mean absolute error over the pairs that are finite
   * @param beyond elements outside the tolerance
   * @param nonFinite elements of the output that are NaN or infinite
   * @param referenceNonFinite elements of the reference that are NaN or infinite
   */
  public record Errors(
      double maxAbs,
      double maxRel,
      double meanAbs,
      long beyond,
      long nonFinite,
      long referenceNonFinite) {}

  /**
   * At how many positions both have their largest entry at the same place.
   *
   * @param agreeing positions that agree; one that holds a NaN never does
   * @param total positions: the product of all axes but the last
   */
  public record Argmax(long agreeing, long total) {}

  /**
   * One element and its two values.
   *
   * @param index its index on each axis
   * @param value in the output
   * @param reference in the reference
   */
  public record Worst(List<Long> index, double value, double reference) {}

  /** Whether every element is within the tolerance. */
  public boolean holds() {
    return errors.beyond() == 0;
  }
}
