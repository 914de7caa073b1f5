package dev.graft.fold;

import java.util.Arrays;

/**
 * A block-diagonal factor that was saved without its zeros ({@code use_bdlora}): block i is rows
 * {@code i · rows / n} and on, and columns {@code i · columns / n} and on, of the matrix that it
 * stands for.
 */
final class BlockFactor implements Factor {

  private final Factor stored;
  private final int blocks;
  private final int blockRows;

  /**
   * Sees the whole matrix.
   *
   * @param stored the blocks below each other; closed with this
   * @param blocks how many; they divide the rows
   */
  BlockFactor(Factor stored, int blocks) {
    this.stored = stored;
    this.blocks = blocks;
    this.blockRows = stored.rows() / blocks;
  }

  /** The factor itself where it has one block only. */
  static Factor of(Factor stored, int blocks) {
    return blocks == 1 ? stored : new BlockFactor(stored, blocks);
  }

  @Override
  public int rows() {
    return stored.rows();
  }

  @Override
  public int columns() {
    return Math.multiplyExact(stored.columns(), blocks);
  }

  @Override
  public void read(Window window, float[] into) {
    Arrays.fill(into, 0, window.elements(), 0f);
    int end = window.row() + window.rows();
    for (int row = window.row(); row < end; ) {
      int block = row / blockRows;
      int last = Math.min(end, (block + 1) * blockRows);
      place(window, row, last, into);
      row = last;
    }
  }

  /** Copies what the window sees of rows of one block. */
  private void place(Window window, int row, int end, float[] into) {
    int left = row / blockRows * stored.columns();
    int from = Math.max(left, window.column());
    int to = Math.min(left + stored.columns(), window.column() + window.columns());
    if (from >= to) {
      return;
    }
    Window seen = new Window(row, end - row, from - left, to - from);
    float[] values = new float[seen.elements()];
    stored.read(seen, values);
    for (int i = 0; i < seen.rows(); i++) {
      int at = (row - window.row() + i) * window.columns() + from - window.column();
      System.arraycopy(values, i * seen.columns(), into, at, seen.columns());
    }
  }

  @Override
  public void close() {
    stored.close();
  }
}
