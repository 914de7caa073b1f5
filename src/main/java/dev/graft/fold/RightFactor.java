package dev.graft.fold;

import dev.graft.fold.Factor.Window;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * The factor R of {@code L · R}, whose rows are as long as those of the product. All of it is
 * needed for every row of the product. A small one lies in arrays; one that would not leave the
 * heap much room, as that of a layer over a large vocabulary does, lies outside the heap, from
 * where a few columns of it are copied at a time.
 */
abstract class RightFactor implements AutoCloseable {

  /** The values that arrays hold at most, 4 MB. */
  private static final int SMALL = 1 << 20;

  /** Values that are read and turned at a time. */
  private static final int PIECE = 1 << 18;

  private final int rank;
  private final int columns;

  private RightFactor(int rank, int columns) {
    this.rank = rank;
    this.columns = columns;
  }

  /** Reads a factor as it is. */
  static RightFactor asIs(Factor factor) {
    RightFactor right = sized(factor.rows(), factor.columns());
    int step = Math.min(factor.columns(), PIECE);
    float[] piece = new float[step];
    for (int j = 0; j < right.rank; j++) {
      for (int from = 0; from < right.columns; from += step) {
        int count = Math.min(step, right.columns - from);
        factor.read(new Window(j, 1, from, count), piece);
        right.put(j, from, piece, count);
      }
    }
    return right;
  }

  /** Reads a factor and turns it the other way round. */
  static RightFactor turned(Factor factor) {
    RightFactor right = sized(factor.columns(), factor.rows());
    int step = Math.min(factor.rows(), Math.max(1, PIECE / right.rank));
    float[] across = new float[step * right.rank];
    float[] piece = new float[step];
    for (int from = 0; from < right.columns; from += step) {
      int count = Math.min(step, right.columns - from);
      factor.read(Window.ofRows(factor, from, count), across);
      for (int j = 0; j < right.rank; j++) {
        for (int i = 0; i < count; i++) {
          piece[i] = across[i * right.rank + j];
        }
        right.put(j, from, piece, count);
      }
    }
    return right;
  }

  private static RightFactor sized(int rank, int columns) {
    return (long) rank * columns <= SMALL
        ? new InArrays(rank, columns)
        : new Outside(rank, columns);
  }

  final int rank() {
    return rank;
  }

  final int columns() {
    return columns;
  }

  /** Takes values of one row of R. */
  abstract void put(int row, int column, float[] values, int count);

  /**
   * Arrays that hold some columns of every row of R.
   *
   * @param from the first column
   * @param to the end of the columns
   */
  abstract float[][] rows(int from, int to);

  /** Where column {@code from} stands in the arrays that {@link #rows} gave for it. */
  abstract int begin(int from);

  @Override
  public void close() {}

  private static final class InArrays extends RightFactor {
    private final float[][] rows;

    InArrays(int rank, int columns) {
      super(rank, columns);
      this.rows = new float[rank][columns];
    }

    @Override
    void put(int row, int column, float[] values, int count) {
      System.arraycopy(values, 0, rows[row], column, count);
    }

    @Override
    float[][] rows(int from, int to) {
      return rows;
    }

    @Override
    int begin(int from) {
      return from;
    }
  }

  private static final class Outside extends RightFactor {
    // Rows go from thread to thread where a merge is taken back.
    private final Arena arena = Arena.ofShared();
    private final MemorySegment values;
    private final float[][] tile;

    Outside(int rank, int columns) {
      super(rank, columns);
      this.values = arena.allocate((long) rank * columns * Float.BYTES, 64);
      this.tile = new float[rank][LowRankKernel.TILE];
    }

    @Override
    void put(int row, int column, float[] from, int count) {
      MemorySegment.copy(from, 0, values, ValueLayout.JAVA_FLOAT, at(row, column), count);
    }

    @Override
    float[][] rows(int from, int to) {
      for (int j = 0; j < tile.length; j++) {
        MemorySegment.copy(values, ValueLayout.JAVA_FLOAT, at(j, from), tile[j], 0, to - from);
      }
      return tile;
    }

    @Override
    int begin(int from) {
      return 0;
    }

    private long at(int row, int column) {
      return ((long) row * columns() + column) * Float.BYTES;
    }

    @Override
    public void close() {
      arena.close();
    }
  }
}
