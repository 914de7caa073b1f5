package dev.graft.verify;

import static org.assertj.core.api.Assertions.assertThat;

import dev.graft.runtime.Dimension;
import dev.graft.runtime.ModelValue;
import dev.graft.tensor.DType;
import dev.graft.tensor.Shape;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

final class AxisLengthsTest {

  static ModelValue input(String name, DType dtype, String... dims) {
    return new ModelValue(
        name,
        dtype,
        Arrays.stream(dims)
            .map(dim ->
                dim.matches("\\d+")
                    ? new Dimension(Long.parseLong(dim), "")
                    : new Dimension(Dimension.FREE, dim))
            .toList());
  }

  private static Shape shape(Map<String, Long> known, String name, String... dims) {
    ModelValue input = input(name, DType.INT64, dims);
    AxisLengths lengths = new AxisLengths(known);
    lengths.settle(List.of(input));
    return lengths.shape(input);
  }

  @Test
  void keepsFixedAxes() {
    assertThat(shape(Map.of(), "x", "1", "7")).isEqualTo(Shape.of(1, 7));
  }

  @Test
  void goesByTheWordsInTheNames() {
    assertThat(shape(Map.of(), "x", "batch_size", "sequence_length")).isEqualTo(Shape.of(2, 16));
    assertThat(shape(Map.of(), "x", "num_tokens")).isEqualTo(Shape.of(16));
    assertThat(shape(Map.of(), "pixels", "batch", "num_channels", "height", "width"))
        .isEqualTo(Shape.of(2, 3, 224, 224));
  }

  @Test
  void goesByTheAxisWhereTheNameSaysNothing() {
    assertThat(shape(Map.of(), "x", "s77", "s2")).isEqualTo(Shape.of(2, 16));
    assertThat(shape(Map.of(), "x", "", "")).isEqualTo(Shape.of(2, 16));
    assertThat(shape(Map.of(), "x", "x_dynamic_axes_1", "x_dynamic_axes_2"))
        .isEqualTo(Shape.of(2, 16));
  }

  @Test
  void leavesTheCacheEmpty() {
    assertThat(shape(Map.of(), "past_key_values.0.key", "batch", "2", "past_sequence_length", "16"))
        .isEqualTo(Shape.of(2, 2, 0, 16));
    assertThat(shape(Map.of(), "past_key_values.0.key", "", "2", "", "16"))
        .isEqualTo(Shape.of(2, 2, 0, 16));
  }

  @Test
  void addsUpPastAndNew() {
    assertThat(shape(Map.of(), "attention_mask", "b", "past_sequence_length + sequence_length"))
        .isEqualTo(Shape.of(2, 16));
    assertThat(shape(Map.of(), "attention_mask", "b", "past_sequence_length + 1"))
        .isEqualTo(Shape.of(2, 1));
    assertThat(shape(Map.of(), "attention_mask", "b", "total_sequence_length"))
        .isEqualTo(Shape.of(2, 16));
  }

  @Test
  void takesKnownLengthsFirstEvenInSums() {
    Map<String, Long> known = Map.of("past_sequence_length", 3L, "sequence_length", 5L, "b", 1L);
    assertThat(shape(known, "m", "b", "total_sequence_length")).isEqualTo(Shape.of(1, 8));
    assertThat(shape(known, "m", "b", "past_sequence_length + sequence_length"))
        .isEqualTo(Shape.of(1, 8));
  }

  @Test
  void givesOneNameOneLengthWhereverItStandsFirst() {
    ModelValue mask = input("attention_mask", DType.INT64, "s0", "s1 + s2");
    ModelValue ids = input("input_ids", DType.INT64, "s0", "s1");
    ModelValue past = input("past_key_values.0.key", DType.FLOAT32, "s0", "2", "s2", "16");
    AxisLengths lengths = new AxisLengths(Map.of());
    lengths.settle(List.of(mask, ids, past));
    assertThat(lengths.shape(mask)).isEqualTo(Shape.of(2, 16));
    assertThat(lengths.shape(ids)).isEqualTo(Shape.of(2, 16));
    assertThat(lengths.shape(past)).isEqualTo(Shape.of(2, 2, 0, 16));
  }
}
