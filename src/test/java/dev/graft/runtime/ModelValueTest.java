package dev.graft.runtime;

import static org.assertj.core.api.Assertions.assertThat;

import dev.graft.tensor.DType;
import dev.graft.tensor.Shape;
import java.util.List;
import org.junit.jupiter.api.Test;

final class ModelValueTest {

  private final ModelValue value =
      new ModelValue(
          "x",
          DType.INT64,
          List.of(
              new Dimension(Dimension.FREE, "batch"),
              new Dimension(4, ""),
              new Dimension(Dimension.FREE, "")));

  @Test
  void admitsNoOtherRankAndNoOtherLengthOnAFixedAxis() {
    assertThat(value.admits(Shape.of(2, 4))).isFalse();
    assertThat(value.admits(Shape.of(2, 5, 1))).isFalse();
  }

  @Test
  void admitsAnyLengthOnAFreeAxis() {
    assertThat(value.admits(Shape.of(0, 4, 9))).isTrue();
  }

  @Test
  void showsTypeAndAxes() {
    assertThat(value.signature()).isEqualTo("INT64 [batch, 4, ?]");
  }
}
