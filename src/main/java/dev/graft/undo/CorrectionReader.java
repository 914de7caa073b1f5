package dev.graft.undo;

import dev.graft.tensor.DType;

/** Gets a tensor's old values back, exactly, from its new ones and from what was added. */
public final class CorrectionReader {

  private final Grid grid;
  private final Candidates candidates;
  private final Doubts doubts;
  private final BitReader choices;
  private final Exceptions.Reader exceptions;
  private long position;

  /**
   * Prepares to read.
   *
   * @param type the tensor's element type
   * @param capacity the most values that are asked for at once
   * @param corrections what was written when the values were added
   */
  public CorrectionReader(DType type, int capacity, Corrections corrections) {
    this.grid = Grid.of(type);
    this.candidates = new Candidates(grid);
    this.doubts = new Doubts(grid, capacity);
    this.choices = new BitReader(corrections.choices());
    this.exceptions = new Exceptions.Reader(corrections.exceptions());
  }

  /**
   * Gets the next values.
   *
   * @param after the new values
   * @param added what was added; the same float32 values as when it was
   * @param before takes the old values
   * @param count how many
   * @throws IndexOutOfBoundsException if the corrections belong to other values and run out
   */
  public void read(float[] after, float[] added, float[] before, int count) {
    Guesses.of(grid, after, added, before, count);
    doubts.look(after, added, before, count);
    int found = doubts.collect(count);
    for (int number = 0; number < found; number++) {
      int i = doubts.place(number);
      candidates.find(after[i], added[i]);
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
