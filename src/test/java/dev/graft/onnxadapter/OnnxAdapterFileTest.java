package dev.graft.onnxadapter;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;
import static org.assertj.core.api.Assertions.tuple;

import dev.graft.error.FormatException;
import dev.graft.error.UnsupportedException;
import dev.graft.tensor.DType;
import dev.graft.tensor.Shape;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HexFormat;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class OnnxAdapterFileTest {

  /** A parameter 'scale' without dimensions, as ONNX Runtime writes it. */
  private static final String SCALAR =
      "14000000544f52540c000c0004000000000008000c000000010000000400000001000000100000000c001400"
          + "040008000c0010000c0000001c000000140000000100000004000000040000000000003f000000000600"
          + "00007363616c61720000";

  private static final int ROOT = 0;
  private static final int IDENTIFIER = 4;
  private static final int VTABLE = 8;
  private static final int ROOT_TABLE = 20;
  private static final int PARAMETERS = 24;
  private static final int DATA_TYPE = 64;

  @TempDir Path folder;

  private Path file(byte... bytes) throws IOException {
    return Files.write(folder.resolve("a.onnx_adapter"), bytes);
  }

  private static byte[] scalar() {
    return HexFormat.of().parseHex(SCALAR);
  }

  private static byte[] with(int at, int... values) {
    byte[] bytes = scalar();
    for (int i = 0; i < values.length; i++) {
      bytes[at + i] = (byte) values[i];
    }
    return bytes;
  }

  private void refuses(String reason, byte... bytes) throws IOException {
    Path file = file(bytes);
    assertThatThrownBy(() -> OnnxAdapterFile.open(file))
        .isInstanceOf(FormatException.class)
        .hasMessageStartingWith(file.toString())
        .hasMessageContaining(reason);
  }

  private static byte[] written(DType dtype, long... dims) {
    OnnxAdapterWriter writer = new OnnxAdapterWriter();
    AdapterParameter parameter = new AdapterParameter("w", dtype, Shape.of(dims));
    writer.add(parameter, MemorySegment.ofArray(new byte[(int) parameter.lengthBytes()]));
    return writer.bytes();
  }

  @Test
  void refusesTensorsWithoutDimensions() throws IOException {
    Path file = file(scalar());
    assertThatThrownBy(() -> OnnxAdapterFile.open(file))
        .isInstanceOf(UnsupportedException.class)
        .hasMessageContaining("'scalar' has no dimensions");
  }

  @Test
  void refusesBooleans() throws IOException {
    Path file = file(with(DATA_TYPE, 9));
    assertThatThrownBy(() -> OnnxAdapterFile.open(file))
        .isInstanceOf(UnsupportedException.class)
        .hasMessageContaining("'scalar' is of type BOOL");
    assertThatThrownBy(() -> new AdapterParameter("b", DType.BOOL, Shape.of(1)))
        .isInstanceOf(UnsupportedException.class);
  }

  @Test
  void refusesAnotherKindOfFile() throws IOException {
    refuses(
        "the identifier at byte 4 is 'ODTC', expected 'TORT'",
        with(IDENTIFIER, 'O', 'D', 'T', 'C'));
    refuses("truncated");
    refuses("has 4 bytes", Arrays.copyOf(scalar(), 4));
  }

  @Test
  void refusesAnotherVersionOfTheFormat() throws IOException {
    Path file = file(with(ROOT_TABLE + 4, 2));
    Throwable thrown = catchThrowable(() -> OnnxAdapterFile.open(file));
    assertThat(thrown).isInstanceOfAny(UnsupportedException.class, FormatException.class);
  }

  @Test
  void refusesReferencesThatLeaveTheFile() throws IOException {
    refuses("for the root table", with(ROOT, 0xff, 0xff, 0xff, 0x7f));
    refuses("for the root table", with(ROOT, 0, 0, 0, 0));
    refuses("the root table", with(ROOT_TABLE, 0xff, 0xff, 0, 0));
    refuses("the root table", with(ROOT_TABLE, 0, 0, 0, 0x80));
    refuses("the root table", with(VTABLE, 0xff, 0xff));
    refuses("the root table", with(VTABLE, 3, 0));
    refuses("the root table", with(VTABLE + 2, 0xff, 0xff));
    refuses("field", with(VTABLE + 4, 0xfe, 0xff));
  }

  @Test
  void refusesVectorsThatAreLongerThanTheFile() throws IOException {
    byte[] bytes = scalar();
    for (int at = PARAMETERS; at < bytes.length - 4; at += 4) {
      Path file = file(with(at, 0xff, 0xff, 0xff, 0xff));
      assertThat(catchThrowable(() -> OnnxAdapterFile.open(file)))
          .as("byte %d", at)
          .isInstanceOfAny(FormatException.class, UnsupportedException.class);
    }
  }

  @Test
  void refusesEveryTruncation() throws IOException {
    byte[] whole = written(DType.FLOAT32, 2, 3);
    // The front has the tables; what is cut off the end is the values or their padding.
    for (int length = 0; length < whole.length - 8; length++) {
      Path file = file(Arrays.copyOf(whole, length));
      assertThatThrownBy(() -> OnnxAdapterFile.open(file))
          .as("%d of %d bytes", length, whole.length)
          .isInstanceOf(FormatException.class);
    }
  }

  @Test
  void refusesShapesThatTheValuesDoNotFill() throws IOException {
    byte[] bytes = written(DType.FLOAT32, 2, 3);
    for (int at = 0; at + 8 <= bytes.length; at += 4) {
      if (bytes[at] == 3 && bytes[at - 8] == 2) {
        bytes[at] = 4;
      }
    }
    refuses("'w' [2, 4] FLOAT32 needs 32 bytes, but has 24", bytes);
  }

  @Test
  void readsWhatItWrote() throws IOException {
    OnnxAdapterWriter writer = new OnnxAdapterWriter();
    byte[] values = {1, 2, 3, 4, 5, 6, 7, 8};
    writer.add(
        new AdapterParameter("m.lora_A.weight", DType.FLOAT32, Shape.of(2, 1)),
        MemorySegment.ofArray(values));
    writer.add(
        new AdapterParameter("é", DType.FLOAT16, Shape.of(0, 4)),
        MemorySegment.ofArray(new byte[0]));
    Path path = folder.resolve("deep/b.onnx_adapter");
    writer.write(path);
    OnnxAdapterFile read = OnnxAdapterFile.open(path);
    assertThat(read.parameters())
        .extracting(
            p -> p.parameter().name(), p -> p.parameter().dtype(), p -> p.parameter().shape())
        .containsExactly(
            tuple("m.lora_A.weight", DType.FLOAT32, Shape.of(2, 1)),
            tuple("é", DType.FLOAT16, Shape.of(0, 4)));
    int start = (int) read.parameters().getFirst().source().offset();
    assertThat(Arrays.copyOfRange(Files.readAllBytes(path), start, start + 8)).isEqualTo(values);
    assertThat(read.valueBytes()).isEqualTo(8);
  }

  @Test
  void readsWhatOliveWrote() {
    OnnxAdapterFile read =
        OnnxAdapterFile.open(Path.of("testdata/cases/olive-llama-ts/adapter_weights.onnx_adapter"));
    assertThat(read.parameters()).hasSize(28);
  }
}
