package dev.graft.verify;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.graft.tensor.DType;
import java.util.OptionalDouble;
import org.junit.jupiter.api.Test;

final class ToleranceTest {

  @Test
  void refusesWhatIsNegativeOrNoNumber() {
    assertThatThrownBy(() -> new Tolerance(-1, 0, 0)).isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> new Tolerance(0, 0, Double.NaN))
        .isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void isWiderInHalfPrecisionOnEitherSide() {
    Tolerance tolerance = Tolerance.defaults();
    assertThat(tolerance.atolFor(DType.FLOAT32, DType.FLOAT32)).isEqualTo(1e-4);
    assertThat(tolerance.atolFor(DType.INT64, DType.INT8)).isEqualTo(1e-4);
    assertThat(tolerance.atolFor(DType.FLOAT16, DType.FLOAT32)).isEqualTo(1e-2);
    assertThat(tolerance.atolFor(DType.FLOAT32, DType.BFLOAT16)).isEqualTo(1e-2);
    assertThat(tolerance.rtol()).isEqualTo(1e-3);
  }

  @Test
  void takesAGivenPartInHalfPrecisionToo() {
    Tolerance tolerance = Tolerance.of(OptionalDouble.of(5e-4), OptionalDouble.empty());
    assertThat(tolerance).isEqualTo(new Tolerance(5e-4, 5e-4, 1e-3));
    assertThat(Tolerance.of(OptionalDouble.empty(), OptionalDouble.of(0)))
        .isEqualTo(new Tolerance(1e-4, 1e-2, 0));
  }
}
