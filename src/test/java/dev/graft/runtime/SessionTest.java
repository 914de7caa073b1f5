package dev.graft.runtime;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.graft.error.FormatException;
import dev.graft.error.RuntimeFailure;
import dev.graft.error.UnsupportedException;
import dev.graft.runtime.SessionSettings.LogSeverity;
import dev.graft.runtime.SessionSettings.Optimisation;
import dev.graft.runtime.TinyModels.Wire;
import dev.graft.tensor.DType;
import dev.graft.tensor.Shape;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

final class SessionTest {

  private static final Path LLAMA = Path.of("testdata/cases/llama-ts-plain/base.onnx");
  private static final Path HALF_LLAMA = Path.of("testdata/cases/optimum-llama-fp16/base.onnx");

  @TempDir Path folder;

  private static Session open(Path model) {
    return Session.open(model, SessionSettings.defaults());
  }

  @Test
  void saysThatThereIsNoSuchFile() {
    Path model = folder.resolve("none.onnx");
    assertThatThrownBy(() -> open(model))
        .isInstanceOf(FormatException.class)
        .hasMessage(model + ": there is no such model file");
  }

  @Test
  void refusesAFolder() {
    assertThatThrownBy(() -> open(folder))
        .isInstanceOf(FormatException.class)
        .hasMessageContaining("is a folder");
  }

  @Test
  void saysInOneLineThatAModelIsDamaged() throws IOException {
    byte[] bytes = Files.readAllBytes(LLAMA);
    for (int length : new int[] {0, 3, 100_000}) {
      Path model = folder.resolve(length + ".onnx");
      Files.write(model, Arrays.copyOf(bytes, length));
      assertThatThrownBy(() -> open(model))
          .isInstanceOf(RuntimeFailure.class)
          .hasMessageStartingWith(model + ": ONNX Runtime cannot load the model: ")
          .hasMessageNotContaining("\n")
          .hasMessageNotContaining(".cc:");
    }
  }

  @Test
  void refusesAModelWithAnOperatorThatNobodyKnows() {
    Path model = TinyModels.write(folder.resolve("odd.onnx"), Wire.of("Frobnicate", "x", "y", "2"));
    assertThatThrownBy(() -> open(model))
        .isInstanceOf(RuntimeFailure.class)
        .hasMessageContaining("Frobnicate");
  }

  @Test
  void refusesAModelThatGivesASequence() {
    Path model =
        TinyModels.write(folder.resolve("s.onnx"), Wire.of("SequenceConstruct", "x", "y", "2"));
    assertThatThrownBy(() -> open(model))
        .isInstanceOf(UnsupportedException.class)
        .hasMessageContaining("'y' is a sequence");
  }

  @Test
  void saysWhatIsWrongWithTheFeedsAndStaysUsable() {
    HostTensor ids = HostTensor.ofLongs(Shape.of(1, 3), 1, 2, 3);
    HostTensor mask = HostTensor.ofLongs(Shape.of(1, 3), 1, 1, 1);
    HostTensor high = HostTensor.ofLongs(Shape.of(1, 3), 1, 2, 3000);
    HostTensor narrow = HostTensor.ofIntegers(DType.INT32, Shape.of(1, 3), 1, 2, 3);
    try (Session session = open(LLAMA)) {
      assertThatThrownBy(() -> session.run(Map.of("input_ids", ids)))
          .isInstanceOf(RuntimeFailure.class)
          .hasMessageContaining(LLAMA.toString())
          .hasMessageContaining("attention_mask");
      assertThatThrownBy(() -> session.run(Map.of("nobody", ids)))
          .isInstanceOf(RuntimeFailure.class)
          .hasMessageContaining("nobody");
      assertThatThrownBy(() -> session.run(Map.of("input_ids", high, "attention_mask", mask)))
          .isInstanceOf(RuntimeFailure.class)
          .hasMessageContaining("idx=3000");
      assertThatThrownBy(() -> session.run(Map.of("input_ids", narrow, "attention_mask", mask)))
          .isInstanceOf(RuntimeFailure.class)
          .hasMessageContaining("tensor(int32)");
      assertThat(session.run(Map.of("input_ids", ids, "attention_mask", mask)))
          .containsOnlyKeys("logits");
    }
  }

  @Test
  void cannotRunOnceClosedButCloseTwice() {
    Path model = TinyModels.write(folder.resolve("m.onnx"), Wire.of("Neg", "x", "y", "1"));
    Session session = open(model);
    session.close();
    session.close();
    HostTensor x = HostTensor.ofFloats(Shape.of(1), 1f);
    assertThatThrownBy(() -> session.run(Map.of("x", x))).isInstanceOf(IllegalStateException.class);
  }

  @Test
  void listsInputsAndOutputsWithTheNamesOfTheirAxes() {
    try (Session session = open(HALF_LLAMA)) {
      assertThat(session.inputs())
          .extracting(v -> v.name() + " " + v.signature())
          .startsWith("input_ids INT64 [batch_size, sequence_length]")
          .contains("past_key_values.1.value FLOAT16 [batch_size, 2, past_sequence_length, 16]");
      assertThat(session.outputs().getFirst().signature())
          .isEqualTo("FLOAT16 [batch_size, sequence_length, 97]");
    }
  }

  @Test
  void listsScalarsAndAxesWithoutNames() {
    Path model =
        TinyModels.write(
            folder.resolve("m.onnx"),
            Wire.identity(DType.BOOL, "flag"),
            Wire.identity(DType.INT32, "x", "", "3"));
    try (Session session = open(model)) {
      assertThat(session.inputs())
          .extracting(ModelValue::signature)
          .containsExactly("BOOL []", "INT32 [?, 3]");
    }
  }

  @ParameterizedTest
  @EnumSource(
      names = {"BOOL", "INT8", "INT16", "INT32", "INT64", "UINT8", "UINT16", "UINT32", "UINT64"})
  void passesIntegersOfEveryTypeThrough(DType dtype) {
    Path model = TinyModels.write(folder.resolve("m.onnx"), Wire.identity(dtype, "x", "n"));
    try (Session session = open(model)) {
      HostTensor fed = HostTensor.ofIntegers(dtype, Shape.of(3), 1, 0, 1);
      HostTensor given = session.run(Map.of("x", fed)).firstEntry().getValue();
      assertThat(given.dtype()).isEqualTo(dtype);
      assertThat(given.toLongs()).containsExactly(1, 0, 1);
    }
  }

  @ParameterizedTest
  @EnumSource(names = {"FLOAT32", "FLOAT16", "BFLOAT16", "FLOAT64"})
  void passesFloatsOfEveryTypeThrough(DType dtype) {
    Path model = TinyModels.write(folder.resolve("m.onnx"), Wire.identity(dtype, "x", "n"));
    try (Session session = open(model)) {
      HostTensor fed = HostTensor.ofDoubles(dtype, Shape.of(2), -2.5, Double.NaN);
      HostTensor given = session.run(Map.of("x", fed)).firstEntry().getValue();
      assertThat(given.toDoubles()).containsExactly(-2.5, Double.NaN);
    }
  }

  @Test
  void takesTensorsWithoutElementsAndScalars() {
    Path model =
        TinyModels.write(
            folder.resolve("m.onnx"),
            Wire.identity(DType.FLOAT32, "past", "b", "2", "p", "16"),
            Wire.identity(DType.INT64, "s"));
    try (Session session = open(model)) {
      HostTensor past = HostTensor.ofFloats(Shape.of(2, 2, 0, 16));
      HostTensor scalar = HostTensor.ofLongs(Shape.of(), 42);
      Map<String, HostTensor> given = session.run(Map.of("past", past, "s", scalar));
      assertThat(given.get("past_out"))
          .extracting(HostTensor::shape)
          .isEqualTo(Shape.of(2, 2, 0, 16));
      assertThat(given)
          .hasEntrySatisfying("s_out", s -> assertThat(s.toLongs()).containsExactly(42));
    }
  }

  @Test
  void takesHeapAndUnalignedMemory() {
    Path model = TinyModels.write(folder.resolve("m.onnx"), Wire.of("Neg", "x", "y", "n"));
    try (Session session = open(model);
        Arena arena = Arena.ofConfined()) {
      MemorySegment unaligned = arena.allocate(12).asSlice(3, 8);
      unaligned.copyFrom(HostTensor.ofFloats(Shape.of(2), 1f, 2f).data());
      MemorySegment heap = MemorySegment.ofArray(unaligned.toArray(ValueLayout.JAVA_BYTE));
      for (MemorySegment data : List.of(unaligned, heap)) {
        HostTensor x = new HostTensor(DType.FLOAT32, Shape.of(2), data);
        assertThat(session.run(Map.of("x", x)).firstEntry().getValue().toFloats())
            .containsExactly(-1f, -2f);
      }
    }
  }

  @Test
  void computesOnlyTheOutputsAskedForInThatOrder() {
    Path model =
        TinyModels.write(
            folder.resolve("m.onnx"),
            Wire.of("Neg", "a", "x", "1"),
            Wire.of("Abs", "b", "y", "1"),
            Wire.of("Neg", "c", "z", "1"));
    HostTensor one = HostTensor.ofFloats(Shape.of(1), 1f);
    try (Session session = open(model);
        Arena arena = Arena.ofConfined()) {
      Map<String, HostTensor> feeds = Map.of("a", one, "b", one, "c", one);
      assertThat(session.run(feeds, List.of("z", "x"), arena).sequencedKeySet())
          .containsExactly("z", "x");
      assertThat(session.run(feeds).sequencedKeySet()).containsExactly("x", "y", "z");
    }
  }

  @Test
  void outputsOutliveTheirSession() {
    Path model = TinyModels.write(folder.resolve("m.onnx"), Wire.of("Neg", "x", "y", "1"));
    Map<String, HostTensor> outputs;
    try (Session session = open(model)) {
      outputs = session.run(Map.of("x", HostTensor.ofFloats(Shape.of(1), 4f)));
    }
    assertThat(outputs).hasEntrySatisfying("y", y -> assertThat(y.toFloats()).containsExactly(-4f));
  }

  @ParameterizedTest
  @EnumSource(Optimisation.class)
  void runsAtEveryOptimisationLevelWithOneThread(Optimisation level) {
    SessionSettings settings =
        new SessionSettings(0, level, LogSeverity.ERROR).withIntraOpThreads(1);
    HostTensor ids = HostTensor.ofLongs(Shape.of(1, 2), 5, 6);
    HostTensor mask = HostTensor.ofLongs(Shape.of(1, 2), 1, 1);
    try (Session session = Session.open(LLAMA, settings)) {
      assertThat(
              session
                  .run(Map.of("input_ids", ids, "attention_mask", mask))
                  .firstEntry()
                  .getValue()
                  .shape())
          .isEqualTo(Shape.of(1, 2, 97));
    }
  }

  @Test
  @EnabledOnOs(OS.LINUX)
  void givesItsMemoryBack() throws IOException {
    Path model = TinyModels.write(folder.resolve("m.onnx"), Wire.of("Neg", "x", "y", "n"));
    openRunAndClose(model, 100);
    long before = residentBytes();
    openRunAndClose(model, 200);
    // A lost output would cost 256 KiB each time, a lost session about as much.
    assertThat(residentBytes() - before).isLessThan(200L * 64 * 1024);
  }

  private static void openRunAndClose(Path model, int times) {
    HostTensor x = HostTensor.ofFloats(Shape.of(1 << 16), new float[1 << 16]);
    for (int i = 0; i < times; i++) {
      try (Session session = open(model);
          Arena arena = Arena.ofConfined()) {
        assertThat(session.run(Map.of("x", x), List.of("y"), arena)).containsOnlyKeys("y");
      }
    }
  }

  private static long residentBytes() throws IOException {
    String resident = Files.readString(Path.of("/proc/self/statm")).split(" ", 3)[1];
    return Long.parseLong(resident) * 4096;
  }
}
