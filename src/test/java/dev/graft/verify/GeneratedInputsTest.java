package dev.graft.verify;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.graft.error.FormatException;
import dev.graft.error.UnsupportedException;
import dev.graft.runtime.HostTensor;
import dev.graft.runtime.ModelValue;
import dev.graft.tensor.DType;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

final class GeneratedInputsTest {

  private static final Path MODEL = Path.of("m.onnx");

  private final GeneratedInputs inputs = new GeneratedInputs(Inputs.Generated.defaults());

  private HostTensor made(String name, DType dtype, String... dims) {
    return inputs
        .feeds(MODEL, List.of(AxisLengthsTest.input(name, dtype, dims)))
        .firstEntry()
        .getValue();
  }

  @Test
  void refusesAVocabularyWithoutTokens() {
    assertThatThrownBy(() -> new Inputs.Generated(0, 1, Map.of()))
        .isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void refusesATypeThatItCannotMakeUp() {
    assertThatThrownBy(() -> made("text", DType.STRING, "batch"))
        .isInstanceOf(UnsupportedException.class)
        .hasMessageContaining("m.onnx: input 'text' is STRING [batch]");
  }

  @Test
  void refusesASecondModelThatWantsAnotherShape() {
    HostTensor first = made("x", DType.FLOAT32, "4");
    assertThat(first.toFloats()).hasSize(4);
    assertThatThrownBy(() -> made("x", DType.FLOAT32, "5"))
        .isInstanceOf(FormatException.class)
        .hasMessageContaining("the made-up input 'x' has the shape [4], but m.onnx wants [5]");
  }

  @Test
  void drawsTokensBelowTheVocabularyAndNeverZero() {
    long[] ids = made("input_ids", DType.INT64, "batch", "seq").toLongs();
    assertThat(ids).hasSize(32);
    assertThat(Arrays.stream(ids)).allMatch(id -> id >= 1 && id < 64);
    assertThat(Arrays.stream(ids).distinct().count()).isGreaterThan(8);
  }

  @Test
  void makesTypesSwitchesAndCountsZero() {
    assertThat(made("token_type_ids", DType.INT64, "batch", "seq").toLongs()).containsOnly(0);
    assertThat(made("use_cache_branch", DType.BOOL, "1").toLongs()).containsExactly(0);
    assertThat(made("onnx::Neg_7", DType.INT64).toLongs()).containsExactly(0);
  }

  @Test
  void countsPositions() {
    assertThat(made("position_ids", DType.INT64, "2", "3").toLongs())
        .containsExactly(0, 1, 2, 0, 1, 2);
  }

  @Test
  void padsTheEndOfTheLastRowOfAMask() {
    assertThat(made("attention_mask", DType.INT64, "2", "4").toLongs())
        .containsExactly(1, 1, 1, 1, 1, 1, 1, 0);
    assertThat(made("float_mask", DType.FLOAT32, "1", "4").toFloats())
        .containsExactly(1f, 1f, 1f, 1f);
  }

  @Test
  void padsNothingWhereThereIsACache() {
    ModelValue mask = AxisLengthsTest.input("attention_mask", DType.INT64, "2", "4");
    ModelValue past =
        AxisLengthsTest.input("past_key_values.0.key", DType.FLOAT32, "2", "2", "past", "8");
    Map<String, HostTensor> feeds = inputs.feeds(MODEL, List.of(mask, past));
    assertThat(feeds)
        .hasEntrySatisfying("attention_mask", m -> assertThat(m.toLongs()).containsOnly(1))
        .hasEntrySatisfying("past_key_values.0.key", p -> assertThat(p.toFloats()).isEmpty());
  }

  @Test
  void drawsFloatsBetweenMinusOneAndOne() {
    float[] values = made("pixels", DType.FLOAT16, "2", "50").toFloats();
    double largest = 0;
    for (float value : values) {
      largest = Math.max(largest, Math.abs(value));
    }
    assertThat(largest).isBetween(0.5, 1.0);
  }

  @Test
  void isTheSameForTheSameSeedAndDiffersByName() {
    float[] x = made("x", DType.FLOAT32, "8").toFloats();
    assertThat(made("y", DType.FLOAT32, "8").toFloats()).isNotEqualTo(x);
    GeneratedInputs again = new GeneratedInputs(Inputs.Generated.defaults());
    ModelValue input = AxisLengthsTest.input("x", DType.FLOAT32, "8");
    assertThat(again.feeds(MODEL, List.of(input)).firstEntry().getValue().toFloats()).isEqualTo(x);
    GeneratedInputs other = new GeneratedInputs(new Inputs.Generated(1, 64, Map.of()));
    assertThat(other.feeds(MODEL, List.of(input)).firstEntry().getValue().toFloats())
        .isNotEqualTo(x);
  }

  @Test
  void givesASecondModelTheSameInItsOwnType() {
    float[] x = made("x", DType.FLOAT32, "2").toFloats();
    float[] half = made("x", DType.FLOAT16, "free").toFloats();
    assertThat(half[0]).isEqualTo(Float.float16ToFloat(Float.floatToFloat16(x[0])));
  }
}
