package dev.graft.autodiff;

/**
 * One contribution to a value's gradient. Most are whole tensors; those that are zero in known
 * places are kept as they are, because what comes next can often do without the zeros.
 */
sealed interface Part {

  /**
   * A tensor of the value's shape.
   *
   * @param value its name
   */
  record Whole(String value) implements Part {}

  /**
   * Zero but for a range of one axis, as the gradient of a Slice or of a part of a Split.
   *
   * @param value the gradient of the range
   * @param axis the axis, counted from the front
   * @param start the first place of the range
   * @param end the place behind its last
   */
  record Range(String value, int axis, long start, long end) implements Part {}

  /**
   * Zero but for the picked elements, as the gradient of a GatherElements.
   *
   * @param value the gradients of the picked elements
   * @param indices which they are, of the same shape
   * @param axis the axis that the indices count along, from the front
   */
  record Picked(String value, String indices, int axis) implements Part {}
}
