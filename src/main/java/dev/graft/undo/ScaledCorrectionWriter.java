package dev.graft.undo;

import dev.graft.tensor.DType;

/**
 * Writes down what is needed to get a tensor's old values back from its new ones and from what was
 * added and what the sum was multiplied with. Values go in in order.
 */
public final class ScaledCorrectionWriter {

  private final Grid grid;
  private final ScaledCandidates candidates;
  private final BitWriter choices = new BitWriter();
  private final Exceptions.Writer exceptions = new Exceptions.Writer();
  private long position;

  /**
   * Prepares to write.
   *
   * @param type the tensor's element type, one that is folded
   */
  public ScaledCorrectionWriter(DType type) {
    this.grid = Grid.of(type);
    this.candidates = new ScaledCandidates(grid);
  }

  /**
   * Takes the next values.
   *
   * @param before the old values
   * @param after the new values, rounded to the tensor's type
   * @param scaled what made the one of the other
   * @param count how many, from the front of each
   */
  public void add(float[] before, float[] after, Scaled scaled, int count) {
    for (int i = 0; i < count; i++) {
      candidates.find(after[i], scaled.added()[i], scaled.factors()[i]);
      int number = candidates.numberOf(before[i]);
      choices.write(Math.max(0, number), candidates.bits());
      if (number < 0) {
        exceptions.add(position + i, grid.bits(before[i]));
      }
    }
    position += count;
  }

  /** What was written. */
  public Corrections finish() {
    return new Corrections(choices.toByteArray(), exceptions.toByteArray());
  }
}
