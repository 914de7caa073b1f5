package dev.graft.match;

import dev.graft.graph.Value;

/**
 * A value that has another size than in the base.
 *
 * @param value the value
 * @param size what changes
 */
public record Resized(Value value, Size size) {

  /**
   * One dimension that changes.
   *
   * @param axis which one, counted from the last, which is 1: so it stays the same under
   *     broadcasting
   * @param from its length in the base
   * @param to its new length
   * @param target the adapter's name for the tensor that brings it
   */
  public record Size(int axis, long from, long to, String target) {

    Size at(int other) {
      return new Size(other, from, to, target);
    }

    boolean sameAs(Size other) {
      return axis == other.axis && from == other.from && to == other.to;
    }

    @Override
    public String toString() {
      return "%d instead of %d".formatted(to, from);
    }
  }
}
