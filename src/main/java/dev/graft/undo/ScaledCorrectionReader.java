package dev.graft.undo;

import dev.graft.tensor.DType;

/** Reads what a {@link ScaledCorrectionWriter} wrote. */
public final class ScaledCorrectionReader {

  private final Grid grid;
  private final ScaledCandidates candidates;
  private final BitReader choices;
  private final Exceptions.Reader exceptions;
  private long position;

  /**
   * Prepares to read.
   *
   * @param type the tensor's element type
   * @param corrections what was written when the values were changed
   */
  public ScaledCorrectionReader(DType type, Corrections corrections) {
    this.grid = Grid.of(type);
    this.candidates = new ScaledCandidates(grid);
    this.choices = new BitReader(corrections.choices());
    this.exceptions = new Exceptions.Reader(corrections.exceptions());
  }

  /**
   * Gets the next values.
   *
   * @param after the new values
   * @param scaled the same as when the values were changed
   * @param before takes the old values
   * @param count how many
   * @throws IndexOutOfBoundsException if the corrections belong to other values and run out
   */
  public void read(float[] after, Scaled scaled, float[] before, int count) {
    for (int i = 0; i < count; i++) {
      candidates.find(after[i], scaled.added()[i], scaled.factors()[i]);
      before[i] = candidates.valueOf(choices.read(candidates.bits()));
    }
    while (exceptions.position() < position + count) {
      before[(int) (exceptions.position() - position)] = grid.value(exceptions.bits());
      exceptions.advance();
    }
    position += count;
  }

  /** Whether all corrections have been used, as they must be at the end of their tensor. */
  public boolean isAtEnd() {
    return choices.isAtEnd() && exceptions.position() == Long.MAX_VALUE;
  }
}
