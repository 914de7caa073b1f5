package dev.graft.verify;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.graft.error.FormatException;
import dev.graft.runtime.HostTensor;
import dev.graft.tensor.DType;
import dev.graft.tensor.Shape;
import org.junit.jupiter.api.Test;

final class ConversionTest {

  @Test
  void refusesAnIntegerThatDoesNotFitAndNamesIt() {
    HostTensor ids = HostTensor.ofLongs(Shape.of(2), 1, 1L << 40);
    assertThatThrownBy(() -> Conversion.to(DType.INT32, ids, "in.safetensors: tensor 'x'"))
        .isInstanceOf(FormatException.class)
        .hasMessage(
            "in.safetensors: tensor 'x' is INT64, but the model wants INT32: element 1 is"
                + " 1099511627776, which INT32 cannot hold");
  }

  @Test
  void doesNotMixFloatsAndIntegers() {
    HostTensor ids = HostTensor.ofLongs(Shape.of(1), 1);
    HostTensor floats = HostTensor.ofFloats(Shape.of(1), 1f);
    assertThatThrownBy(() -> Conversion.to(DType.FLOAT32, ids, "x"))
        .isInstanceOf(FormatException.class)
        .hasMessageContaining("x is INT64, but the model wants FLOAT32");
    assertThatThrownBy(() -> Conversion.to(DType.INT64, floats, "x"))
        .isInstanceOf(FormatException.class);
  }

  @Test
  void leavesATensorOfTheRightTypeAlone() {
    HostTensor ids = HostTensor.ofLongs(Shape.of(1), 1);
    assertThat(Conversion.to(DType.INT64, ids, "x")).isSameAs(ids);
  }

  @Test
  void convertsIntegersThatFitAndRoundsFloats() {
    HostTensor ids = HostTensor.ofIntegers(DType.INT32, Shape.of(2), -1, 7);
    assertThat(Conversion.to(DType.INT64, ids, "x").toLongs()).containsExactly(-1, 7);
    HostTensor floats = HostTensor.ofFloats(Shape.of(1), 0.1f);
    HostTensor halves = Conversion.to(DType.FLOAT16, floats, "x");
    assertThat(halves.dtype()).isEqualTo(DType.FLOAT16);
    assertThat(halves.toDoubles()).containsExactly(0.0999755859375);
  }
}
