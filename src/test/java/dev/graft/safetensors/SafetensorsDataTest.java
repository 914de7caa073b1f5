package dev.graft.safetensors;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.graft.error.FormatException;
import dev.graft.error.UnsupportedException;
import dev.graft.tensor.DType;
import dev.graft.tensor.Shape;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SafetensorsDataTest {

  @TempDir Path folder;

  private SafetensorsTensor stored(DType dtype, Shape shape, byte[] bytes) {
    Path file = folder.resolve("data.safetensors");
    new SafetensorsWriter().add("x", dtype, shape, MemorySegment.ofArray(bytes)).write(file);
    return SafetensorsFile.open(file).tensor("x").orElseThrow();
  }

  @Test
  void refusesToReadIntegersAsFloats() {
    SafetensorsTensor tensor = stored(DType.INT8, Shape.of(2), new byte[2]);

    assertThatThrownBy(() -> SafetensorsData.readFloats(tensor))
        .isInstanceOf(UnsupportedException.class)
        .hasMessageContaining("tensor \"x\" has type I8");
    assertThatThrownBy(() -> SafetensorsData.readLongs(tensor))
        .isInstanceOf(UnsupportedException.class);
  }

  @Test
  void noticesThatTheFileShrank() throws IOException {
    SafetensorsTensor tensor = stored(DType.FLOAT32, Shape.of(4), new byte[16]);
    try (RandomAccessFile file = new RandomAccessFile(tensor.source().file().toFile(), "rw")) {
      file.setLength(tensor.source().end() - 1);
    }

    assertThatThrownBy(() -> SafetensorsData.readFloats(tensor))
        .isInstanceOf(FormatException.class)
        .hasMessageContaining("tensor \"x\" ends at byte");
    assertThatThrownBy(() -> SafetensorsData.readBytes(tensor)).isInstanceOf(FormatException.class);
  }

  @Test
  void refusesArraysThatJavaCannotHold() throws IOException {
    long bytes = 4L * Integer.MAX_VALUE;
    String header =
        "{" + SafetensorsBytes.entry("x", "F32 [" + Integer.MAX_VALUE + "]", 0, bytes) + "}";
    Path path = SafetensorsBytes.write(folder.resolve("sparse"), SafetensorsBytes.of(header, 0));
    try (RandomAccessFile file = new RandomAccessFile(path.toFile(), "rw")) {
      file.setLength(8 + header.length() + bytes);
    }
    SafetensorsTensor tensor = SafetensorsFile.open(path).tensor("x").orElseThrow();

    assertThatThrownBy(() -> SafetensorsData.readFloats(tensor))
        .isInstanceOf(UnsupportedException.class)
        .hasMessageContaining("more than one array can hold");
  }

  @Test
  void decodesTheThreeFloatTypes() {
    // 1.5 and -2 in each type, little-endian
    assertThat(
            SafetensorsData.readFloats(
                stored(DType.FLOAT16, Shape.of(2), new byte[] {0, 0x3e, 0, (byte) 0xc0})))
        .containsExactly(1.5f, -2f);
    assertThat(
            SafetensorsData.readFloats(
                stored(
                    DType.BFLOAT16,
                    Shape.of(1, 2),
                    new byte[] {(byte) 0xc0, 0x3f, 0, (byte) 0xc0})))
        .containsExactly(1.5f, -2f);
    assertThat(
            SafetensorsData.readFloats(
                stored(DType.FLOAT32, Shape.of(), new byte[] {0, 0, (byte) 0xc0, 0x3f})))
        .containsExactly(1.5f);
    assertThat(
            SafetensorsData.readLongs(
                stored(DType.INT64, Shape.of(1), new byte[] {7, 1, 0, 0, 0, 0, 0, 0})))
        .containsExactly(263L);
  }

  @Test
  void readsTensorsLongerThanOneBlock() {
    float[] values = new float[200_001];
    for (int i = 0; i < values.length; i++) {
      values[i] = i;
    }
    Path file = folder.resolve("long.safetensors");
    new SafetensorsWriter().add("x", Shape.of(values.length), values).write(file);

    assertThat(SafetensorsData.readFloats(SafetensorsFile.open(file).tensor("x").orElseThrow()))
        .isEqualTo(values);
  }

  @Test
  void findsTheFirstValueThatIsNotFinite() {
    float[] values = new float[150_000];
    Path file = folder.resolve("nan.safetensors");
    values[140_000] = Float.NEGATIVE_INFINITY;
    values[140_001] = Float.NaN;
    new SafetensorsWriter()
        .add("x", Shape.of(300, 500), values)
        .add("y", Shape.of(1), new float[1])
        .write(file);
    SafetensorsFile opened = SafetensorsFile.open(file);

    assertThat(SafetensorsData.firstNonFinite(opened.tensor("x").orElseThrow())).hasValue(140_000);
    assertThat(SafetensorsData.firstNonFinite(opened.tensor("y").orElseThrow())).isEmpty();
  }

  @Test
  void comparesTensorsByTypeShapeAndBytes() {
    float[] values = new float[100_000];
    float[] other = values.clone();
    other[99_999] = 1;
    Path path = folder.resolve("same.safetensors");
    new SafetensorsWriter()
        .add("a", Shape.of(100_000), values)
        .add("b", Shape.of(100_000), values)
        .add("c", Shape.of(100_000), other)
        .add("d", Shape.of(50_000, 2), values)
        .write(path);
    SafetensorsFile file = SafetensorsFile.open(path);
    SafetensorsTensor a = file.tensor("a").orElseThrow();

    assertThat(SafetensorsData.isSame(a, file.tensor("b").orElseThrow())).isTrue();
    assertThat(SafetensorsData.isSame(a, file.tensor("c").orElseThrow())).isFalse();
    assertThat(SafetensorsData.isSame(a, file.tensor("d").orElseThrow())).isFalse();
  }
}
