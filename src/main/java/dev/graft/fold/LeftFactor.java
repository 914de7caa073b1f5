package dev.graft.fold;

import dev.graft.fold.Factor.Window;

/**
 * The factor L of {@code L · R} that has a row for each row of the product, of which a few rows lie
 * in memory at a time.
 */
abstract class LeftFactor implements AutoCloseable {

  /** The values that are held at most, 4 MB. */
  static final int WINDOW = 1 << 20;

  private final Factor source;
  private final int rows;
  private final int rank;
  private final int step;
  private float[] values = new float[0];
  private int first;
  private int end;

  private LeftFactor(Factor source, int rows, int rank) {
    this.source = source;
    this.rows = rows;
    this.rank = rank;
    this.step = Math.min(rows, Math.max(1, WINDOW / rank));
  }

  /** L is the factor as it is. */
  static LeftFactor asIs(Factor factor) {
    return new LeftFactor(factor, factor.rows(), factor.columns()) {
      @Override
      float[] load(Factor source, int row, int count) {
        float[] loaded = new float[count * source.columns()];
        source.read(Window.ofRows(source, row, count), loaded);
        return loaded;
      }
    };
  }

  /** L is the factor the other way round. */
  static LeftFactor turned(Factor factor) {
    return new LeftFactor(factor, factor.columns(), factor.rows()) {
      @Override
      float[] load(Factor source, int row, int count) {
        int rank = source.rows();
        float[] across = new float[count * rank];
        source.read(new Window(0, rank, row, count), across);
        float[] loaded = new float[across.length];
        for (int j = 0; j < rank; j++) {
          for (int i = 0; i < count; i++) {
            loaded[i * rank + j] = across[j * count + i];
          }
        }
        return loaded;
      }
    };
  }

  /** Reads some rows of L. */
  abstract float[] load(Factor source, int row, int count);

  /** The number of terms of the product. */
  int rank() {
    return rank;
  }

  /** Where a row of L begins in {@link #values()}, which it is brought to. */
  int at(int row) {
    if (row < first || row >= end) {
      int count = Math.min(step, rows - row);
      values = load(source, row, count);
      first = row;
      end = row + count;
    }
    return (row - first) * rank;
  }

  /** The rows in memory. */
  float[] values() {
    return values;
  }

  @Override
  public void close() {
    source.close();
  }
}
