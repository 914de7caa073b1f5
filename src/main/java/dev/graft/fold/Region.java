package dev.graft.fold;

import dev.graft.match.Layout;
import dev.graft.match.OutputRange;

/**
 * The part of a stored tensor that a change is for, in the rows that the tensor is folded by.
 *
 * @param axis which way the tensor is cut
 * @param outputs the rows or columns of the part
 */
record Region(Axis axis, OutputRange outputs) {

  /** The whole tensor. */
  static final Region ALL = new Region(Axis.ROWS, OutputRange.ALL);

  /** Which way a tensor is cut. */
  enum Axis {
    ROWS,
    COLUMNS
  }

  /** Where some outputs of a matrix lie. */
  static Region of(Layout layout, OutputRange outputs) {
    return new Region(layout == Layout.OUT_IN ? Axis.ROWS : Axis.COLUMNS, outputs);
  }

  /** Where some values of a vector lie, which is folded as one row. */
  static Region ofVector(OutputRange outputs) {
    return outputs.isAll() ? ALL : new Region(Axis.COLUMNS, outputs);
  }

  boolean isAll() {
    return outputs.isAll();
  }

  /** The length of the part's rows where the tensor has rows of a length. */
  int rowLength(int tensorRowLength) {
    return axis == Axis.ROWS ? tensorRowLength : (int) outputs.countOf(tensorRowLength);
  }
}
