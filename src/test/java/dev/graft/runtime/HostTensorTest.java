package dev.graft.runtime;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.graft.tensor.DType;
import dev.graft.tensor.Shape;
import java.lang.foreign.MemorySegment;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

final class HostTensorTest {

  @Test
  void refusesDataOfAnotherLengthThanTheShapeNeeds() {
    MemorySegment data = MemorySegment.ofArray(new byte[23]);
    assertThatThrownBy(() -> new HostTensor(DType.FLOAT32, Shape.of(2, 3), data))
        .hasMessage("FLOAT32 [2, 3] needs 24 bytes, not 23");
  }

  @Test
  void refusesStrings() {
    assertThatThrownBy(
            () -> new HostTensor(DType.STRING, Shape.of(), MemorySegment.ofArray(new byte[0])))
        .hasMessageContaining("strings");
  }

  @Test
  void refusesAnotherNumberOfValuesThanTheShapeHas() {
    assertThatThrownBy(() -> HostTensor.ofFloats(Shape.of(2), 1f))
        .hasMessage("shape [2] has 2 elements, but 1 values were given");
    assertThatThrownBy(() -> HostTensor.ofLongs(Shape.of(2), 1, 2, 3))
        .hasMessageContaining("3 values");
  }

  @Test
  void refusesAnIntegerThatDoesNotFitAndNamesIt() {
    assertThatThrownBy(() -> HostTensor.ofIntegers(DType.INT32, Shape.of(2), 0, 1L << 31))
        .isInstanceOf(ArithmeticException.class)
        .hasMessage("element 1 is 2147483648, which INT32 cannot hold");
    assertThatThrownBy(() -> HostTensor.ofIntegers(DType.UINT64, Shape.of(1), -1))
        .isInstanceOf(ArithmeticException.class);
    assertThatThrownBy(() -> HostTensor.ofIntegers(DType.BOOL, Shape.of(1), 2))
        .isInstanceOf(ArithmeticException.class);
  }

  @Test
  void doesNotReadFloatsAsIntegers() {
    HostTensor tensor = HostTensor.ofFloats(Shape.of(1), 1f);
    assertThatThrownBy(tensor::toLongs).isInstanceOf(IllegalArgumentException.class);
  }

  @ParameterizedTest
  @EnumSource(names = {"FLOAT32", "FLOAT16", "BFLOAT16", "FLOAT64"})
  void givesBackFloatsOfEveryWidth(DType dtype) {
    HostTensor tensor =
        HostTensor.ofDoubles(dtype, Shape.of(2, 2), -1.5, 0, Double.NEGATIVE_INFINITY, Double.NaN);
    assertThat(tensor.toDoubles()).containsExactly(-1.5, 0, Double.NEGATIVE_INFINITY, Double.NaN);
    assertThat(tensor.toFloats()).containsExactly(-1.5f, 0, Float.NEGATIVE_INFINITY, Float.NaN);
  }

  @Test
  void roundsToTheNearestHalf() {
    HostTensor tensor = HostTensor.ofDoubles(DType.FLOAT16, Shape.of(2), 0.1, 65519);
    assertThat(tensor.toDoubles()).containsExactly(0.0999755859375, 65504);
  }

  @ParameterizedTest
  @EnumSource(names = {"INT8", "INT16", "INT32", "INT64", "UINT8", "UINT16", "UINT32", "UINT64"})
  void givesBackIntegersOfEveryWidth(DType dtype) {
    boolean unsigned = dtype.name().startsWith("U");
    int valueBits = Math.min(63, unsigned ? dtype.bits() : dtype.bits() - 1);
    long largest = Long.MAX_VALUE >> (63 - valueBits);
    long least = unsigned ? 0 : -largest - 1;
    HostTensor tensor = HostTensor.ofIntegers(dtype, Shape.of(3), least, 7, largest);
    assertThat(tensor.toLongs()).containsExactly(least, 7, largest);
    assertThat(tensor.toDoubles()).containsExactly((double) least, 7.0, (double) largest);
  }

  @Test
  void readsPartOfATensorAcrossBlocks() {
    float[] values = new float[10_000];
    for (int i = 0; i < values.length; i++) {
      values[i] = i;
    }
    double[] into = new double[9_000];
    HostTensor.ofFloats(Shape.of(100, 100), values).read(900, into, 9_000);
    assertThat(into[0]).isEqualTo(900);
    assertThat(into[4096]).isEqualTo(4996);
    assertThat(into[8_999]).isEqualTo(9_899);
  }

  @Test
  void holdsTensorsWithoutElements() {
    HostTensor tensor = HostTensor.ofFloats(Shape.of(2, 2, 0, 16));
    assertThat(tensor.data().byteSize()).isZero();
    assertThat(tensor.toFloats()).isEmpty();
  }
}
