package dev.graft.fold;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Random;
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

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3, 4, 5, 7, 8, 9, 16, 18, 64})
  void sumsInTheDocumentedOrderAtAnyRank(int rank) {
    Random random = new Random(rank);
    float[] left = random(random, ROWS * rank);
    float[][] right = new float[rank][];
    for (int j = 0; j < rank; j++) {
      right[j] = random(random, COLUMNS);
    }
    LowRankKernel kernel = new LowRankKernel(left, right, 0.37f);
    // Rows out of order: nothing of one may be left over in another.
    for (int row : new int[] {3, 0, 6, 1, 1}) {
      float[] values = random(random, COLUMNS);
      float[] expected = values.clone();
      for (int q = 0; q < COLUMNS; q++) {
        float sum = 0;
        for (int j = 0; j < rank; j++) {
          sum = Math.fma(left[row * rank + j], right[j][q], sum);
        }
        expected[q] = values[q] + 0.37f * sum;
      }
      kernel.addRow(row, values, COLUMNS);
      assertThat(values).isEqualTo(expected);
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {4, 16})
  void keepsMinusZeroWhereTheSumIsZero(int rank) {
    float[] values = {-0f, 0f, 1f};
    new LowRankKernel(new float[rank], new float[rank][3], 1f).addRow(0, values, 3);
    // (-0) + 1 · (+0) is +0: the sum begins at +0.
    assertThat(Float.floatToRawIntBits(values[0])).isZero();
    assertThat(values).containsExactly(0f, 0f, 1f);
  }
}
