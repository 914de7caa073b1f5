package dev.graft.onnx;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.graft.error.FormatException;
import dev.graft.error.UnsupportedException;
import dev.graft.io.InputFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class TypedValuesTest {

  private static final int FLOAT32 = 1;
  private static final int INT64 = 7;
  private static final int FLOAT16 = 10;
  private static final int BFLOAT16 = 16;

  @TempDir Path folder;

  @Test
  void refusesTypesThatAreNeverFolded() {
    assertThatThrownBy(() -> decode(INT64, 2, Wire.message(7, Wire.raw(1, 2))))
        .isInstanceOf(UnsupportedException.class)
        .hasMessageContainingAll("m.onnx: tensor 'w' keeps INT64 values in typed fields");
  }

  @Test
  void refusesATensorThatIsNotTyped() {
    assertThatThrownBy(() -> decode(FLOAT32, 1, Wire.message(9, new byte[4])))
        .isInstanceOf(UnsupportedException.class);
  }

  @Test
  void refusesMoreThan64MegabytesBeforeAllocating() {
    assertThatThrownBy(() -> decode(FLOAT32, 17 << 20, Wire.fixed32(4, 1)))
        .isInstanceOf(UnsupportedException.class)
        .hasMessageContainingAll("71,303,168 bytes", "67,108,864", "raw_data");
  }

  @Test
  void refusesTooFewValuesBeforeAllocating() {
    assertThatThrownBy(() -> decode(FLOAT32, 16 << 20, Wire.fixed32(4, 1)))
        .isInstanceOf(FormatException.class)
        .hasMessageContainingAll("m.onnx: tensor 'w' has fewer values", "[16777216]");
  }

  @Test
  void refusesOneValueTooFewOrTooMany() {
    byte[] three = Wire.join(Wire.fixed32(4, 1), Wire.message(4, new byte[8]));
    assertThatThrownBy(() -> decode(FLOAT32, 4, three)).hasMessageContaining("fewer values");
    assertThatThrownBy(() -> decode(FLOAT32, 2, three)).hasMessageContaining("more values");
    assertThatThrownBy(() -> decode(FLOAT16, 2, Wire.message(5, Wire.raw(1, 2, 3))))
        .isInstanceOf(FormatException.class)
        .hasMessageContaining("more values");
  }

  @Test
  void refusesARunOfFloatsThatEndsInsideOne() {
    // Large enough not to be in the skeleton, where protobuf would see it first.
    byte[] runs = Wire.join(Wire.message(4, new byte[4]), Wire.message(4, new byte[1026]));
    assertThatThrownBy(() -> decode(FLOAT32, 258, runs))
        .isInstanceOf(FormatException.class)
        .hasMessageContaining("a 4-byte value runs past the end");
  }

  @ParameterizedTest
  @ValueSource(longs = {0x10000, -0x8001, Integer.MAX_VALUE, Integer.MIN_VALUE})
  void refusesNumbersThatAreNoSixteenBits(long value) {
    assertThatThrownBy(() -> decode(BFLOAT16, 1, Wire.varint(5, value)))
        .isInstanceOf(FormatException.class)
        .hasMessageContaining("has the value " + value + " in int32_data, which is no bit pattern");
  }

  @Test
  void readsSeveralRunsAndSingleElements() throws IOException {
    byte[] fields =
        Wire.join(
            Wire.message(4, Wire.floats(1, 2)),
            Wire.string(8, "late name"),
            Wire.fixed32(4, Float.floatToRawIntBits(3)),
            Wire.message(4),
            Wire.message(4, Wire.floats(4)));
    assertThat(decode(FLOAT32, 4, fields)).isEqualTo(Wire.floats(1, 2, 3, 4));
  }

  @Test
  void readsSixteenBitValuesAlsoAsNegativeNumbers() throws IOException {
    byte[] fields =
        Wire.join(
            Wire.message(5, Wire.number(0x3c00), Wire.number(-0x4400), Wire.number(0)),
            Wire.varint(5, 0xbc00),
            // Five bytes instead of ten: the same int32 to protobuf.
            Wire.varint(5, 0xffffbc00L));
    byte[] expected = Wire.raw(0x00, 0x3c, 0x00, 0xbc, 0, 0, 0x00, 0xbc, 0x00, 0xbc);
    assertThat(decode(FLOAT16, 5, fields)).isEqualTo(expected);
    assertThat(decode(BFLOAT16, 5, fields)).isEqualTo(expected);
  }

  @Test
  void passesOverFieldsOfTheSameNumberWithAnotherWireType() throws IOException {
    byte[] fields =
        Wire.join(
            Wire.varint(4, 77),
            Wire.fixed32(4, Float.floatToRawIntBits(5)),
            Wire.fixed64(4, 9),
            Wire.fixed32(4, Float.floatToRawIntBits(6)));
    assertThat(decode(FLOAT32, 2, fields)).isEqualTo(Wire.floats(5, 6));
  }

  private byte[] decode(int type, long elements, byte[] values) throws IOException {
    Path path =
        Files.write(
            folder.resolve("m.onnx"),
            Wire.modelWithTensor(
                Wire.varint(1, elements), Wire.varint(2, type), values, Wire.string(8, "w")));
    OnnxModel model = OnnxModel.open(path);
    try (InputFile file = InputFile.open(path)) {
      return TypedValues.decode(model.tensors().getFirst(), file);
    }
  }
}
