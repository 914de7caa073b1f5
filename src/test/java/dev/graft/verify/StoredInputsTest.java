package dev.graft.verify;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.graft.error.FormatException;
import dev.graft.error.UnsupportedException;
import dev.graft.runtime.HostTensor;
import dev.graft.runtime.ModelValue;
import dev.graft.safetensors.SafetensorsWriter;
import dev.graft.tensor.DType;
import dev.graft.tensor.Shape;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class StoredInputsTest {

  private static final Path MODEL = Path.of("m.onnx");

  @TempDir Path folder;
  private Path file = Path.of("");

  @BeforeEach
  void write() {
    file = folder.resolve("in.safetensors");
    MemorySegment ids = HostTensor.ofLongs(Shape.of(1, 2), 5, 6).data();
    new SafetensorsWriter()
        .add("input_ids", DType.INT64, Shape.of(1, 2), ids)
        .add("past", Shape.of(2, 0, 4), new float[0])
        .add("x", Shape.of(2), new float[] {0.5f, 0.1f})
        .add("eight", DType.FLOAT8E5M2, Shape.of(1), MemorySegment.ofArray(new byte[1]))
        .write(file);
  }

  private Map<String, HostTensor> feeds(ModelValue... inputs) {
    return new StoredInputs(StoredTensors.open(file, Arena.ofAuto())).feeds(MODEL, List.of(inputs));
  }

  @Test
  void namesEveryMissingInputAndWhatItNeeds() {
    assertThatThrownBy(() ->
            feeds(
                AxisLengthsTest.input("input_ids", DType.INT64, "batch", "seq"),
                AxisLengthsTest.input("mask", DType.INT64, "batch", "seq"),
                AxisLengthsTest.input("y", DType.FLOAT16, "3")))
        .isInstanceOf(FormatException.class)
        .hasMessageStartingWith(file + ": inputs of m.onnx are missing: ")
        .hasMessageContaining("'mask' (INT64 [batch, seq]), 'y' (FLOAT16 [3])")
        .hasMessageContaining("'input_ids'")
        .hasMessageContaining("'x'");
  }

  @Test
  void refusesAnotherRankOrLengthAndNamesTheInput() {
    assertThatThrownBy(() -> feeds(AxisLengthsTest.input("input_ids", DType.INT64, "seq")))
        .isInstanceOf(FormatException.class)
        .hasMessage(
            file + ": tensor 'input_ids' has shape [1, 2], but m.onnx wants [seq] for that input");
    assertThatThrownBy(() -> feeds(AxisLengthsTest.input("input_ids", DType.INT64, "batch", "3")))
        .isInstanceOf(FormatException.class)
        .hasMessageContaining("wants [batch, 3]");
  }

  @Test
  void refusesFloatsForIntegersAndTypesWithoutPlainNumbers() {
    assertThatThrownBy(() -> feeds(AxisLengthsTest.input("x", DType.INT64, "n")))
        .isInstanceOf(FormatException.class)
        .hasMessageContaining("tensor 'x' is FLOAT32, but the model wants INT64");
    assertThatThrownBy(() -> feeds(AxisLengthsTest.input("eight", DType.FLOAT32, "1")))
        .isInstanceOf(UnsupportedException.class)
        .hasMessageContaining("tensor 'eight' is FLOAT8E5M2");
  }

  @Test
  void feedsWhatTheModelAsksForAndNothingElse() {
    Map<String, HostTensor> feeds =
        feeds(
            AxisLengthsTest.input("x", DType.FLOAT16, "n"),
            AxisLengthsTest.input("past", DType.FLOAT32, "batch", "past", "4"));
    assertThat(feeds).containsOnlyKeys("x", "past");
    assertThat(feeds)
        .hasEntrySatisfying(
            "x", x -> assertThat(x.toDoubles()).containsExactly(0.5, 0.0999755859375))
        .hasEntrySatisfying("past", p -> assertThat(p.shape()).isEqualTo(Shape.of(2, 0, 4)));
  }
}
