package dev.graft.undo;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.graft.tensor.DType;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** Old values come back bit for bit, and the corrections stay near what information they hold. */
class CorrectionsTest {

  private static final int COUNT = 1 << 18;

  private static final class Weights {
    private final float[] before;
    private final float[] added;
    private final float[] after;

    private Weights(float[] before, float[] added, float[] after) {
      this.before = before;
      this.added = added;
      this.after = after;
    }

    static Weights of(Grid grid, float[] before, float[] added) {
      float[] after = new float[before.length];
      for (int i = 0; i < before.length; i++) {
        before[i] = grid.round(before[i]);
        after[i] = grid.round(before[i] + added[i]);
      }
      return new Weights(before, added, after);
    }

    static Weights normal(Grid grid, double sizeOfWeights, double sizeOfAdded) {
      Random random = new Random(7);
      float[] before = new float[COUNT];
      float[] added = new float[COUNT];
      for (int i = 0; i < COUNT; i++) {
        before[i] = (float) (random.nextGaussian() * sizeOfWeights);
        added[i] = (float) (random.nextGaussian() * sizeOfAdded);
      }
      return of(grid, before, added);
    }

    Corrections corrections(DType type) {
      CorrectionWriter writer = new CorrectionWriter(type, before.length);
      writer.add(before, after, added, before.length);
      return writer.finish();
    }

    float[] undone(DType type, Corrections corrections) {
      float[] undone = new float[before.length];
      CorrectionReader reader = new CorrectionReader(type, before.length, corrections);
      reader.read(after, added, undone, undone.length);
      assertThat(reader.isAtEnd()).isTrue();
      return undone;
    }
  }

  private static void comesBack(DType type, Weights weights) {
    float[] undone = weights.undone(type, weights.corrections(type));
    for (int i = 0; i < undone.length; i++) {
      if (Float.floatToRawIntBits(undone[i]) != Float.floatToRawIntBits(weights.before[i])) {
        throw new AssertionError(
            "element %d was %s, became %s by adding %s, and came back as %s"
                .formatted(i, weights.before[i], weights.after[i], weights.added[i], undone[i]));
      }
    }
  }

  @Test
  void runsOutOnTheCorrectionsOfOtherValues() {
    Weights weights = Weights.normal(Grid.FLOAT16, 0.02, 0.02);
    Corrections half =
        new Corrections(
            Arrays.copyOf(weights.corrections(DType.FLOAT16).choices(), 100), new byte[0]);
    assertThatThrownBy(() -> weights.undone(DType.FLOAT16, half))
        .isInstanceOf(IndexOutOfBoundsException.class);
  }

  @Test
  void seesCorrectionsThatAreLeftOver() {
    Weights weights = Weights.normal(Grid.FLOAT32, 0.02, 0.002);
    Corrections corrections = weights.corrections(DType.FLOAT32);
    byte[] longer = Arrays.copyOf(corrections.choices(), 1_000_000);
    longer[999_999] = 1;
    CorrectionReader reader =
        new CorrectionReader(
            DType.FLOAT32, 1 << 20, new Corrections(longer, corrections.exceptions()));
    reader.read(weights.after, weights.added, new float[COUNT], COUNT);
    assertThat(reader.isAtEnd()).isFalse();
  }

  @ParameterizedTest
  @CsvSource({
    "FLOAT32, 0.02, 0.002, 0.02",
    "FLOAT32, 0.02, 0.02, 0.02",
    "FLOAT16, 0.02, 0.0002, 0.06",
    "FLOAT16, 0.02, 0.002, 0.06",
    "FLOAT16, 0.02, 0.02, 0.06",
    "BFLOAT16, 0.02, 0.0002, 0.06",
    "BFLOAT16, 0.02, 0.002, 0.06",
    "BFLOAT16, 0.02, 0.02, 0.06",
    "FLOAT32, 0.02, 0.2, 0.02",
    "FLOAT16, 0.02, 0.2, 0.06",
    "BFLOAT16, 0.02, 0.2, 0.06",
    "FLOAT32, 0.02, 2, 0.02",
    "FLOAT16, 0.02, 2, 0.06",
    "BFLOAT16, 0.02, 2, 0.06",
    "FLOAT16, 1e-6, 1e-6, 0.06",
    "BFLOAT16, 1e-38, 1e-39, 0.06",
    "FLOAT32, 1e-40, 1e-40, 0.02"
  })
  void getsEveryWeightBack(DType type, double weights, double added, double most) {
    Weights made = Weights.normal(Grid.of(type), weights, added);
    comesBack(type, made);
    Corrections corrections = made.corrections(type);
    double share = corrections.lengthBytes() / ((double) type.bits() / 8 * COUNT);
    double entropy = entropy(type, made) / (type.bits() * (double) COUNT);
    System.out.printf(
        "%s weights %s added %s: corrections %.3f %% of the bytes, entropy of plain corrections %.3f %%, %d bytes of exceptions%n",
        type, weights, added, 100 * share, 100 * entropy, corrections.exceptions().length);
    assertThat(share).isLessThanOrEqualTo(Math.max(most, 1.3 * entropy));
    assertThat(corrections.exceptions().length).isLessThan(COUNT / 100);
  }

  /**
   * Bits of the empirical entropy of W's distance from round(W' − d), counted in the type's own
   * values, given the exponents of W' and d.
   */
  private static double entropy(DType type, Weights weights) {
    Grid grid = Grid.of(type);
    Map<Long, Map<Integer, Integer>> counts = new HashMap<>();
    for (int i = 0; i < COUNT; i++) {
      float guess = grid.round(weights.after[i] - weights.added[i]);
      int symbol = grid.placeOf(weights.before[i]) - grid.placeOf(guess);
      long given = 1000L * Math.getExponent(weights.after[i]) + Math.getExponent(weights.added[i]);
      counts.computeIfAbsent(given, g -> new HashMap<>()).merge(symbol, 1, Integer::sum);
    }
    double bits = 0;
    for (Map<Integer, Integer> symbols : counts.values()) {
      double all = symbols.values().stream().mapToInt(Integer::intValue).sum();
      for (int n : symbols.values()) {
        bits -= n * Math.log(n / all) / Math.log(2);
      }
    }
    return bits;
  }

  @ParameterizedTest
  @EnumSource(
      value = DType.class,
      names = {"FLOAT32", "FLOAT16", "BFLOAT16"})
  void keepsBothZerosAndTheEdgesOfTheType(DType type) {
    Grid grid = Grid.of(type);
    float least = grid.at(1);
    float[] special = {0f, -0f, least, -least, 1f, -1f, 0.5f, grid.at(grid.placeOf(1f) - 1), 2f};
    float[] before = new float[special.length * special.length];
    float[] added = new float[before.length];
    for (int i = 0; i < before.length; i++) {
      before[i] = special[i / special.length];
      added[i] = special[i % special.length];
    }
    comesBack(type, Weights.of(grid, before, added));
  }

  @ParameterizedTest
  @EnumSource(
      value = DType.class,
      names = {"FLOAT32", "FLOAT16", "BFLOAT16"})
  void doesNotDependOnHowManyValuesComeAtOnce(DType type) {
    Weights weights = Weights.normal(Grid.of(type), 0.02, 0.01);
    Corrections whole = weights.corrections(type);
    CorrectionWriter writer = new CorrectionWriter(type, 1000);
    CorrectionReader reader = new CorrectionReader(type, 1 << 20, whole);
    for (int from = 0; from < COUNT; from += 1000) {
      int count = Math.min(1000, COUNT - from);
      float[] before = Arrays.copyOfRange(weights.before, from, from + count);
      float[] after = Arrays.copyOfRange(weights.after, from, from + count);
      float[] added = Arrays.copyOfRange(weights.added, from, from + count);
      writer.add(before, after, added, count);
      float[] undone = new float[count];
      reader.read(after, added, undone, count);
      assertThat(undone).isEqualTo(before);
    }
    assertThat(writer.finish()).usingRecursiveComparison().isEqualTo(whole);
  }

  @ParameterizedTest
  @EnumSource(Grid.class)
  void ordersEveryValueOfTheType(Grid grid) {
    assertThat(grid.placeOf(0f)).isZero();
    assertThat(grid.placeOf(-0f)).isEqualTo(-1);
    for (int ordinal = -30000; ordinal < 30000; ordinal++) {
      assertThat(grid.placeOf(grid.at(ordinal))).isEqualTo(ordinal);
      assertThat(grid.at(ordinal)).isLessThanOrEqualTo(grid.at(ordinal + 1));
      assertThat(grid.ceiling(grid.at(ordinal))).isEqualTo(ordinal == 0 ? -1 : ordinal);
      assertThat(grid.floor(grid.at(ordinal))).isEqualTo(ordinal == -1 ? 0 : ordinal);
    }
  }
}
