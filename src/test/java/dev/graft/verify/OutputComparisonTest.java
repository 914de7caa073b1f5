package dev.graft.verify;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.graft.runtime.HostTensor;
import dev.graft.tensor.DType;
import dev.graft.tensor.Shape;
import dev.graft.verify.OutputComparison.Named;
import dev.graft.verify.OutputParity.Argmax;
import dev.graft.verify.OutputParity.Worst;
import java.util.List;
import org.junit.jupiter.api.Test;

final class OutputComparisonTest {

  private static final Tolerance EXACT = new Tolerance(0, 0, 0);
  private static final float NAN = Float.NaN;
  private static final float INFINITE = Float.POSITIVE_INFINITY;

  private static OutputParity compare(
      Tolerance tolerance, HostTensor output, HostTensor reference) {
    return OutputComparison.compare(
        new Named("y", output), new Named("golden", reference), tolerance);
  }

  private static OutputParity compareRow(Tolerance tolerance, float output, float reference) {
    return compare(
        tolerance,
        HostTensor.ofFloats(Shape.of(1), output),
        HostTensor.ofFloats(Shape.of(1), reference));
  }

  @Test
  void neverTakesNaNForEqual() {
    Tolerance wide = new Tolerance(1e9, 1e9, 1e9);
    assertThat(compareRow(wide, NAN, NAN).holds()).isFalse();
    assertThat(compareRow(wide, NAN, 1).holds()).isFalse();
    assertThat(compareRow(wide, 1, NAN).holds()).isFalse();
  }

  @Test
  void takesOnlyTheSameInfinityForEqual() {
    Tolerance wide = new Tolerance(1e9, 1e9, 1e9);
    assertThat(compareRow(wide, INFINITE, 1).holds()).isFalse();
    assertThat(compareRow(wide, 1, INFINITE).holds()).isFalse();
    assertThat(compareRow(wide, INFINITE, -INFINITE).holds()).isFalse();
    assertThat(compareRow(EXACT, -INFINITE, -INFINITE).holds()).isTrue();
  }

  @Test
  void countsWhatIsNotFiniteOnEachSideAndMakesItTheLargestError() {
    OutputParity parity =
        compare(
            Tolerance.defaults(),
            HostTensor.ofFloats(Shape.of(2, 2), 5f, NAN, 3f, INFINITE),
            HostTensor.ofFloats(Shape.of(2, 2), 1f, 2f, NAN, INFINITE));
    assertThat(parity.errors().nonFinite()).isEqualTo(2);
    assertThat(parity.errors().referenceNonFinite()).isEqualTo(2);
    assertThat(parity.errors().beyond()).isEqualTo(3);
    assertThat(parity.errors().maxAbs()).isInfinite();
    assertThat(parity.errors().maxRel()).isInfinite();
    assertThat(parity.errors().meanAbs()).isEqualTo(4);
    assertThat(parity.worst()).contains(new Worst(List.of(0L, 1L), NAN, 2));
  }

  @Test
  void failsJustBeyondTheToleranceAndHoldsAtIt() {
    Tolerance tolerance = new Tolerance(0.25, 0, 0.5);
    assertThat(compareRow(tolerance, 2.25f, 1f).holds()).isFalse();
    assertThat(compareRow(tolerance, 1.75f, 1f).holds()).isTrue();
    assertThat(compareRow(tolerance, -1.75f, -1f).holds()).isTrue();
    // The relative part is of the reference, not of the output.
    assertThat(compareRow(tolerance, 1f, 1.75f).holds()).isTrue();
    assertThat(compareRow(new Tolerance(0, 0, 0.5), 2f, 1f).holds()).isFalse();
    assertThat(compareRow(new Tolerance(0, 0, 0.5), 1f, 2f).holds()).isTrue();
  }

  @Test
  void measuresErrorsAndFindsTheWorstElement() {
    OutputParity parity =
        compare(
            EXACT,
            HostTensor.ofFloats(Shape.of(2, 1, 3), 1f, 2f, 3f, 4f, 5.5f, 6f),
            HostTensor.ofFloats(Shape.of(2, 1, 3), 1f, 2.25f, 3f, 4f, 5f, 0f));
    assertThat(parity.errors().maxAbs()).isEqualTo(6);
    assertThat(parity.errors().maxRel()).isCloseTo(0.25 / 2.25, within(1e-12));
    assertThat(parity.errors().meanAbs()).isEqualTo(6.75 / 6);
    assertThat(parity.errors().beyond()).isEqualTo(3);
    assertThat(parity.worst()).contains(new Worst(List.of(1L, 0L, 2L), 6, 0));
    assertThat(parity.name()).isEqualTo("y");
    assertThat(parity.reference()).isEqualTo("golden");
  }

  @Test
  void countsPositionsWhereTheLargestEntryIsTheSame() {
    OutputParity parity =
        compare(
            EXACT,
            HostTensor.ofFloats(Shape.of(2, 2, 2), 1f, 2f, 3f, 2f, 5f, 5f, 7f, NAN),
            HostTensor.ofFloats(Shape.of(2, 2, 2), 1f, 9f, 2f, 3f, 6f, 5f, 7f, NAN));
    assertThat(parity.argmax()).contains(new Argmax(2, 4));
  }

  @Test
  void hasNoLargestEntryToCompareBelowRankTwoOrAmongIntegers() {
    HostTensor vector = HostTensor.ofFloats(Shape.of(2), 1f, 2f);
    HostTensor ids = HostTensor.ofLongs(Shape.of(1, 2), 1, 2);
    assertThat(compare(EXACT, vector, vector).argmax()).isEmpty();
    assertThat(compare(EXACT, ids, ids).argmax()).isEmpty();
  }

  @Test
  void comparesAcrossTypesWithTheHalfToleranceShown() {
    OutputParity parity =
        compare(
            Tolerance.defaults(),
            HostTensor.ofDoubles(DType.FLOAT16, Shape.of(2), 0.1, 1),
            HostTensor.ofFloats(Shape.of(2), 0.1f, 1.005f));
    assertThat(parity.holds()).isTrue();
    assertThat(parity.atol()).isEqualTo(1e-2);
  }

  @Test
  void comparesScalarsAndTensorsLongerThanABlock() {
    HostTensor scalar = HostTensor.ofLongs(Shape.of(), 3);
    assertThat(compare(EXACT, scalar, scalar).worst()).contains(new Worst(List.of(), 3, 3));
    float[] values = new float[3 * 10_000];
    HostTensor zeros = HostTensor.ofFloats(Shape.of(3, 10_000), values);
    values[19_999] = 1;
    OutputParity parity = compare(EXACT, HostTensor.ofFloats(Shape.of(3, 10_000), values), zeros);
    assertThat(parity.worst()).contains(new Worst(List.of(1L, 9_999L), 1, 0));
    assertThat(parity.argmax()).contains(new Argmax(2, 3));
  }

  @Test
  void findsNothingInAnEmptyTensor() {
    HostTensor empty = HostTensor.ofFloats(Shape.of(2, 0));
    OutputParity parity = compare(EXACT, empty, empty);
    assertThat(parity.worst()).isEmpty();
    assertThat(parity.argmax()).contains(new Argmax(0, 0));
    assertThat(parity.errors().maxAbs()).isZero();
  }
}
