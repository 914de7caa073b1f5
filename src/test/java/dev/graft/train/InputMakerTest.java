package dev.graft.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.graft.error.UnsupportedException;
import dev.graft.onnx.proto.GraphProto;
import dev.graft.onnx.proto.ModelProto;
import dev.graft.onnx.proto.TypeProto;
import dev.graft.onnx.proto.ValueInfoProto;
import dev.graft.runtime.HostTensor;
import dev.graft.tensor.DType;
import dev.graft.tensor.Shape;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import org.junit.jupiter.api.Test;

final class InputMakerTest {

  private static final List<Row> ROWS =
      List.of(
          row(new long[] {5, 6, 7}, new long[] {1, 1, 1}),
          row(new long[] {8, 9}, new long[] {0, 1}));

  private static Row row(long[] ids, long[] mask) {
    return new Row(1, ids, mask, Optional.empty(), new RowLabel.Category(0));
  }

  private static ValueInfoProto input(String name, DType dtype, Object... dims) {
    ValueInfoProto.Builder value = ValueInfoProto.newBuilder().setName(name);
    TypeProto.Tensor.Builder type = value.getTypeBuilder().getTensorTypeBuilder();
    type.setElemType(dtype.onnxCode()).getShapeBuilder();
    for (Object dim : dims) {
      if (dim instanceof Integer length) {
        type.getShapeBuilder().addDimBuilder().setDimValue(length);
      } else {
        type.getShapeBuilder().addDimBuilder().setDimParam(dim.toString());
      }
    }
    return value.build();
  }

  private static HostTensor make(ValueInfoProto input, Map<String, Double> given) {
    InputMaker maker = new InputMaker(List.of(input), given);
    return Objects.requireNonNull(maker.make(ROWS).get(input.getName()));
  }

  private static HostTensor make(ValueInfoProto input) {
    return make(input, Map.of());
  }

  @Test
  void refusesAnInputThatNothingIsKnownFor() {
    assertThatThrownBy(() -> make(input("pixel_values", DType.FLOAT32, "b", 3)))
        .isInstanceOf(UnsupportedException.class)
        .hasMessageContaining("input 'pixel_values' of the model")
        .hasMessageContaining("--set pixel_values=VALUE");
  }

  @Test
  void refusesAPastThatCannotBeEmpty() {
    assertThatThrownBy(() -> make(input("past_key_values.0.key", DType.FLOAT32, "b", 2, 8, 16)))
        .isInstanceOf(UnsupportedException.class)
        .hasMessageContaining("fixed length");
  }

  @Test
  void padsToTheLongestRow() {
    HostTensor ids = make(input("input_ids", DType.INT32, "b", "s"));
    assertThat(ids.dtype()).isEqualTo(DType.INT32);
    assertThat(ids.shape()).isEqualTo(Shape.of(2, 3));
    assertThat(ids.toLongs()).containsExactly(5, 6, 7, 8, 9, 0);
    assertThat(make(input("attention_mask", DType.INT64, "b", "s")).toLongs())
        .containsExactly(1, 1, 1, 0, 1, 0);
    assertThat(make(input("token_type_ids", DType.INT64, "b", "s")).toLongs()).containsOnly(0);
  }

  @Test
  void countsTokensAndNotPadding() {
    assertThat(make(input("position_ids", DType.INT64, "b", "s")).toLongs())
        .containsExactly(0, 1, 2, 0, 0, 0);
  }

  @Test
  void makesAnEmptyPast() {
    HostTensor past = make(input("past_key_values.0.key", DType.FLOAT16, "b", 2, "past", 16));
    assertThat(past.shape()).isEqualTo(Shape.of(2, 2, 0, 16));
    assertThat(make(input("use_cache_branch", DType.BOOL, 1)).toLongs()).containsExactly(0);
  }

  @Test
  void declaresThePastAsEmptyAsItIs() {
    GraphProto graph =
        GraphProto.newBuilder()
            .addInput(input("past_key_values.0.key", DType.FLOAT16, "b", 2, "past", 16))
            .addInput(input("input_ids", DType.INT64, "b", "s"))
            .build();
    ModelProto declared = InputMaker.withEmptyPast(ModelProto.newBuilder().setGraph(graph).build());
    assertThat(declared.getGraph().getInputList())
        .containsExactly(
            input("past_key_values.0.key", DType.FLOAT16, "b", 2, 0, 16),
            input("input_ids", DType.INT64, "b", "s"));
  }

  @Test
  void fillsWhatItIsToldTo() {
    HostTensor filled = make(input("bbox", DType.INT64, "b", "s", 2), Map.of("bbox", 4.0));
    assertThat(filled.shape()).isEqualTo(Shape.of(2, 3, 2));
    assertThat(filled.toLongs()).containsOnly(4);
  }
}
