package dev.graft.tensor;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/** The dimensions of a tensor, outermost first, none negative. Rank 0 is a scalar. */
public final class Shape {

  private final long[] dims;
  private final long elements;

  private Shape(long[] dims) {
    long product = 1;
    boolean empty = false;
    for (long dim : dims) {
      if (dim < 0) {
        throw new IllegalArgumentException("dimension " + dim + " is negative");
      }
      empty |= dim == 0;
    }
    for (long dim : dims) {
      product = empty ? 0 : Math.multiplyExact(product, dim);
    }
    this.dims = dims;
    this.elements = product;
  }

  /**
   * Makes a shape.
   *
   * @throws IllegalArgumentException if a dimension is negative
   * @throws ArithmeticException if the number of elements does not fit in a long
   */
  public static Shape of(long... dims) {
    return new Shape(dims.clone());
  }

  /** The number of dimensions. */
  public int rank() {
    return dims.length;
  }

  /** The length along an axis, counted from 0. */
  public long dim(int axis) {
    return dims[axis];
  }

  /** The product of all dimensions, 1 for a scalar. */
  public long elements() {
    return elements;
  }

  /** A copy of the dimensions. */
  public long[] toArray() {
    return dims.clone();
  }

  /** A matrix's shape with its two axes swapped. */
  public Shape transposed() {
    if (dims.length != 2) {
      throw new IllegalStateException("only a matrix can be transposed, not " + this);
    }
    return of(dims[1], dims[0]);
  }

  @Override
  public boolean equals(@Nullable Object other) {
    return other instanceof Shape shape && Arrays.equals(dims, shape.dims);
  }

  @Override
  public int hashCode() {
    return Arrays.hashCode(dims);
  }

  @Override
  public String toString() {
    return Arrays.toString(dims);
  }
}
