package dev.graft.undo;

import java.util.Arrays;

/** What happened to the values of a row that were multiplied after something was added. */
public final class Scaled {

  private final float[] added;
  private final float[] factors;

  /**
   * Makes room.
   *
   * @param capacity for so many values
   */
  public Scaled(int capacity) {
    this.added = new float[capacity];
    this.factors = new float[capacity];
  }

  /**
   * Begins a row in which nothing has happened yet: −0, which is neutral in a float sum, is added
   * to its values, which are multiplied with 1.
   *
   * @param count how many values it has
   */
  public void clear(int count) {
    Arrays.fill(added, 0, count, -0f);
    Arrays.fill(factors, 0, count, 1f);
  }

  /** What was added, float32, to be filled in; not a copy. */
  public float[] added() {
    return added;
  }

  /** What the sums were multiplied with, float32, to be filled in; not a copy. */
  public float[] factors() {
    return factors;
  }
}
