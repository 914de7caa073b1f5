package dev.graft.fold;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Holds the kernel to the documented order of arithmetic, element by element and bit by bit. */
class LowRankKernelTest {

  private static final int ROWS = 7;

  /** More than one tile, and no multiple of any vector's length. */
  private static final int COLUMNS = 2100;

  private static float[] random(Random random, int count) {
    float[] values = new float[count];
    for (int i = 0; i < count; i++) {
      values[i] = (float) random.nextGaussian();
    }
    return values;
  }

  private static final class Matrix implements Factor {
    private final int rows;
    private final int columns;
    private final float[] values;

    Matrix(int rows, int columns, float[] values) {
      this.rows = rows;
      this.columns = columns;
      this.values = values;
    }

    @Override
    public int rows() {
      return rows;
    }

    @Override
    public int columns() {
      return columns;
    }

    @Override
    public void read(Window window, float[] into) {
      for (int i = 0; i < window.rows(); i++) {
        int from = (window.row() + i) * columns + window.column();
        System.arraycopy(values, from, into, i * window.columns(), window.columns());
      }
    }
  }

  private static LowRankKernel kernel(Matrix left, Matrix right, float scale) {
    return new LowRankKernel(LeftFactor.asIs(left), RightFactor.asIs(right), scale);
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3, 4, 5, 7, 8, 9, 16, 18, 64})
  void sumsInTheDocumentedOrderAtAnyRank(int rank) {
    requireOrder(rank, COLUMNS);
  }

  @Test
  void sumsInTheSameOrderWhereTheFactorLiesOutsideTheHeap() {
    requireOrder(16, (1 << 20) / 16 + 5);
  }

  private static void requireOrder(int rank, int columns) {
    Random random = new Random(rank);
    Matrix left = new Matrix(ROWS, rank, random(random, ROWS * rank));
    Matrix right = new Matrix(rank, columns, random(random, rank * columns));
    try (LowRankKernel kernel = kernel(left, right, 0.37f)) {
      // Rows out of order: nothing of one may be left over in another.
      for (int row : new int[] {3, 0, 6, 1, 1}) {
        float[] values = random(random, columns);
        float[] expected = values.clone();
        for (int q = 0; q < columns; q++) {
          float sum = 0;
          for (int j = 0; j < rank; j++) {
            sum = Math.fma(left.values[row * rank + j], right.values[j * columns + q], sum);
          }
          expected[q] = values[q] + 0.37f * sum;
        }
        kernel.addRow(row, values, columns);
        assertThat(values).isEqualTo(expected);
      }
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {3, 4, 16})
  void beginsTheSumAtPlusZero(int rank) {
    float[] values = {-0f, 0f, 1f};
    Matrix none = new Matrix(1, rank, new float[rank]);
    try (LowRankKernel kernel = kernel(none, new Matrix(rank, 3, new float[rank * 3]), 1f)) {
      kernel.addRow(0, values, 3);
    }
    // (-0) + 1 · (+0) is +0.
    assertThat(Float.floatToRawIntBits(values[0])).isZero();
    assertThat(values).containsExactly(0f, 0f, 1f);
  }
}
