package dev.graft.undo;

import dev.graft.tensor.DType;

/**
 * Writes down what is needed to get a tensor's old values back from its new ones and from what was
 * added. Values go in in order; the result is a {@link Corrections}.
 */
public final class CorrectionWriter {

  private final Grid grid;
  private final Candidates candidates;
  private final BitWriter choices = new BitWriter();
  private final Exceptions.Writer exceptions = new Exceptions.Writer();
  private final float[] guesses;
  private final Doubts doubts;
  private long position;

  /**
   * Prepares to write.
   *
   * @param type the tensor's element type, one that is folded
   * @param capacity the most values that are given at once
   */
  public CorrectionWriter(DType type, int capacity) {
    this.grid = Grid.of(type);
    this.candidates = new Candidates(grid);
    this.guesses = new float[capacity];
    this.doubts = new Doubts(grid, capacity);
  }

  /**
   * Takes the next values.
   *
   * @param before the old values
   * @param after the new values, rounded to the tensor's type: {@code round(before + added)}
   * @param added what was added, float32
   * @param count how many, from the front of each
   */
  public void add(float[] before, float[] after, float[] added, int count) {
    Guesses.of(grid, after, added, guesses, count);
    doubts.look(after, added, guesses, count);
    doubts.compare(before, count);
    int found = doubts.collect(count);
    for (int number = 0; number < found; number++) {
      int i = doubts.place(number);
      if (doubts.isOpen(i)) {
        choose(before[i], after[i], added[i], position + i);
      } else {
        exceptions.add(position + i, grid.bits(before[i]));
      }
    }
    position += count;
  }

  private void choose(float before, float after, float added, long at) {
    candidates.find(after, added);
    int number = candidates.numberOf(before);
    choices.write(Math.max(0, number), candidates.bits());
    if (number < 0) {
      exceptions.add(at, grid.bits(before));
    }
  }

  /** What was written. */
  public Corrections finish() {
    return new Corrections(choices.toByteArray(), exceptions.toByteArray());
  }
}
