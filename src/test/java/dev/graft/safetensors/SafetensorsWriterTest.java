package dev.graft.safetensors;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.graft.error.RuntimeFailure;
import dev.graft.tensor.DType;
import dev.graft.tensor.Shape;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class SafetensorsWriterTest {

  @TempDir Path folder;

  @Test
  void leavesTheOlderFileAndNoOtherWhenItFails() throws IOException {
    Path file = Files.writeString(folder.resolve("out.safetensors"), "older");
    SafetensorsWriter writer =
        new SafetensorsWriter()
            .add(
                "x",
                DType.UINT8,
                Shape.of(2),
                out -> {
                  throw new RuntimeFailure("disk full");
                });

    assertThatThrownBy(() -> writer.write(file))
        .isInstanceOf(RuntimeFailure.class)
        .hasMessageContaining("disk full");
    assertThat(file).hasContent("older");
    assertThat(names()).containsExactly("out.safetensors");
  }

  @Test
  void refusesContentOfAnotherLength() {
    SafetensorsWriter writer =
        new SafetensorsWriter()
            .add("x", DType.UINT8, Shape.of(2), out -> out.write(ByteBuffer.allocate(3)));

    assertThatThrownBy(() -> writer.write(folder.resolve("out")))
        .isInstanceOf(IllegalStateException.class);
    assertThat(folder).isEmptyDirectory();
  }

  @Test
  void refusesANameTwice() {
    SafetensorsWriter writer = new SafetensorsWriter().add("x", Shape.of(), new float[1]);

    assertThatThrownBy(() -> writer.add("x", Shape.of(), new float[1]))
        .isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void refusesTypesThatTheFormatLacks() {
    assertThatThrownBy(() ->
            new SafetensorsWriter()
                .add("x", DType.INT4, Shape.of(2), MemorySegment.ofArray(new byte[1])))
        .isInstanceOf(IllegalArgumentException.class);
  }

  @ParameterizedTest
  @ValueSource(strings = {"bert-ts-bias", "gpt2-ts-dora", "llama-ts-pattern"})
  void writesByteForByteWhatTheReferenceLibraryWrote(String name) {
    Path original = Path.of("testdata/cases", name, "adapter/adapter_model.safetensors");
    SafetensorsFile file = SafetensorsFile.open(original);
    SafetensorsWriter writer = new SafetensorsWriter();
    file.metadata().forEach(writer::metadata);
    file.tensors().reversed().forEach(writer::addCopy);

    Path copy = folder.resolve("copy.safetensors");
    writer.write(copy);

    assertThat(copy).hasSameBinaryContentAs(original);
  }

  @Test
  void sortsByTypeThenNameAndPadsTheHeader() {
    Path file = folder.resolve("out.safetensors");
    new SafetensorsWriter()
        .metadata("z", "1")
        .metadata("a", "say \"hi\"\n")
        .add("u8", DType.UINT8, Shape.of(3), MemorySegment.ofArray(new byte[] {1, 2, 3}))
        .add("\ud83d\ude00", Shape.of(1), new float[] {3})
        .add("\uffee", Shape.of(1), new float[] {2})
        .add("i64", DType.INT64, Shape.of(1), MemorySegment.ofArray(new byte[8]))
        .write(file);

    SafetensorsFile opened = SafetensorsFile.open(file);
    assertThat(opened.tensors().keySet()).containsExactly("i64", "\uffee", "\ud83d\ude00", "u8");
    assertThat(opened.metadata().keySet()).containsExactly("a", "z");
    assertThat(opened.metadata()).containsEntry("a", "say \"hi\"\n");
    assertThat(opened.tensor("i64").orElseThrow().source().offset() % 8).isZero();
    assertThat(SafetensorsData.readBytes(opened.tensor("u8").orElseThrow()))
        .containsExactly(1, 2, 3);
  }

  private Stream<String> names() throws IOException {
    try (Stream<Path> files = Files.list(folder)) {
      return files.map(f -> f.getFileName().toString()).toList().stream();
    }
  }
}
