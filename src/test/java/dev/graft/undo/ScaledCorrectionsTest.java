package dev.graft.undo;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.graft.tensor.DType;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** Values that were also multiplied come back bit for bit, whatever the factor. */
class ScaledCorrectionsTest {

  private static final int COUNT = 1 << 16;

  private static void comesBack(DType type, float[] before, Scaled scaled) {
    Grid grid = Grid.of(type);
    float[] after = new float[before.length];
    for (int i = 0; i < before.length; i++) {
      before[i] = grid.round(before[i]);
      after[i] = grid.round(scaled.factors()[i] * (before[i] + scaled.added()[i]));
    }
    ScaledCorrectionWriter writer = new ScaledCorrectionWriter(type);
    writer.add(before, after, scaled, before.length);
    float[] undone = new float[before.length];
    ScaledCorrectionReader reader = new ScaledCorrectionReader(type, writer.finish());
    reader.read(after, scaled, undone, undone.length);
    assertThat(reader.isAtEnd()).isTrue();
    for (int i = 0; i < undone.length; i++) {
      if (Float.floatToRawIntBits(undone[i]) != Float.floatToRawIntBits(before[i])) {
        throw new AssertionError(
            "element %d was %s, became %s by %s · (W + %s), and came back as %s"
                .formatted(
                    i, before[i], after[i], scaled.factors()[i], scaled.added()[i], undone[i]));
      }
    }
  }

  private static Scaled scaled(int count, double sizeOfAdded, double factor) {
    Random random = new Random(11);
    Scaled scaled = new Scaled(count);
    for (int i = 0; i < count; i++) {
      scaled.added()[i] = (float) (random.nextGaussian() * sizeOfAdded);
      scaled.factors()[i] = (float) (factor * (1 + random.nextGaussian() / 10));
    }
    return scaled;
  }

  private static float[] normal(int count, double size) {
    Random random = new Random(12);
    float[] values = new float[count];
    for (int i = 0; i < count; i++) {
      values[i] = (float) (random.nextGaussian() * size);
    }
    return values;
  }

  @Test
  void runsOutOnTheCorrectionsOfOtherValues() {
    Scaled scaled = scaled(COUNT, 0.02, 1);
    ScaledCorrectionReader reader =
        new ScaledCorrectionReader(DType.FLOAT16, new Corrections(new byte[1], new byte[0]));
    float[] after = normal(COUNT, 0.02);
    assertThatThrownBy(() -> reader.read(after, scaled, new float[COUNT], COUNT))
        .isInstanceOf(IndexOutOfBoundsException.class);
  }

  @ParameterizedTest
  @CsvSource({
    "0.02, 0.002, 1",
    "0.02, 0.002, -1",
    "0.02, 0.02, 0.3",
    "0.02, 0.2, 7",
    "0.02, 0.002, 1e-30",
    "0.02, 0.002, 1e6",
    "0.02, 0.002, -3e38",
    "0.02, 0.002, 1e-44",
    "1e-40, 1e-40, 1",
    "1e-7, 1e-7, -1",
    "60000, 100, 1",
    "0, 0.1, 1",
    "0.02, 0, 1",
    "0.02, 0.002, 0"
  })
  void getsEveryWeightOfEachTypeBack(double weights, double added, double factor) {
    for (DType type : new DType[] {DType.FLOAT32, DType.FLOAT16, DType.BFLOAT16}) {
      comesBack(type, normal(COUNT, weights), scaled(COUNT, added, factor));
    }
  }

  @ParameterizedTest
  @EnumSource(
      value = DType.class,
      names = {"FLOAT32", "FLOAT16", "BFLOAT16"})
  void keepsBothZerosAndTheEdgesOfTheType(DType type) {
    Grid grid = Grid.of(type);
    float least = grid.at(1);
    float[] special = {0f, -0f, least, -least, 1f, -1f, grid.at(grid.placeOf(1f) - 1), 2f, 3e-39f};
    int n = special.length;
    float[] before = new float[n * n * n];
    Scaled scaled = new Scaled(before.length);
    for (int i = 0; i < before.length; i++) {
      before[i] = special[i / n / n];
      scaled.added()[i] = special[i / n % n];
      scaled.factors()[i] = special[i % n];
    }
    comesBack(type, before, scaled);
  }

  @ParameterizedTest
  @CsvSource({"FLOAT32, 0.04", "FLOAT16, 0.06", "BFLOAT16, 0.08"})
  void keepsLittleWhereTheFactorIsNearOne(DType type, double most) {
    Grid grid = Grid.of(type);
    float[] before = normal(COUNT, 0.02);
    Scaled scaled = scaled(COUNT, 0.002, 1);
    Arrays.fill(scaled.factors(), 1.0001f);
    float[] after = new float[COUNT];
    for (int i = 0; i < COUNT; i++) {
      before[i] = grid.round(before[i]);
      after[i] = grid.round(scaled.factors()[i] * (before[i] + scaled.added()[i]));
    }
    ScaledCorrectionWriter writer = new ScaledCorrectionWriter(type);
    writer.add(before, after, scaled, COUNT);
    double share = writer.finish().lengthBytes() / (COUNT * type.bits() / 8.0);
    System.out.printf("%s scaled: corrections are %.2f %% of the bytes%n", type, 100 * share);
    assertThat(share).isLessThan(most);
  }

  @ParameterizedTest
  @EnumSource(
      value = DType.class,
      names = {"FLOAT32", "FLOAT16", "BFLOAT16"})
  void doesNotDependOnHowManyValuesComeAtOnce(DType type) {
    float[] before = normal(COUNT, 0.02);
    comesBack(type, Arrays.copyOf(before, 1), scaled(1, 0.01, 1.2));
    comesBack(type, Arrays.copyOf(before, 777), scaled(777, 0.01, 1.2));
  }
}
