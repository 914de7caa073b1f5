package dev.graft.onnx;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.graft.error.FormatException;
import dev.graft.io.InputFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class WireCursorTest {

  @TempDir Path folder;

  private interface Reading {
    void with(WireCursor cursor, long end);
  }

  @Test
  void refusesAVarintThatRunsPastTheEnd() {
    refuses(Wire.raw(0x80, 0x80), WireCursor::varint, "byte 2: a varint runs past the end");
  }

  @Test
  void refusesAVarintThatRunsPastItsMessageAlthoughTheFileGoesOn() {
    refuses(
        Wire.raw(0x80, 0x01), (c, _) -> c.varint(1), "byte 1: a varint runs past the end of its");
  }

  @Test
  void refusesAVarintOfElevenBytes() {
    byte[] eleven = Wire.raw(255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 1);
    refuses(eleven, WireCursor::varint, "longer than 10 bytes");
  }

  @ParameterizedTest
  @ValueSource(longs = {0, 7, 1L << 32, Long.MAX_VALUE, Long.MIN_VALUE, -1})
  void refusesATagThatNoFieldHas(long tag) {
    refuses(
        Wire.number(tag), WireCursor::tag, "no field has the tag " + Long.toUnsignedString(tag));
  }

  @ParameterizedTest
  @ValueSource(longs = {4, 1L << 31, 1L << 62, Long.MAX_VALUE, Long.MIN_VALUE, -1})
  void refusesALengthBeyondItsMessage(long length) {
    byte[] bytes = Wire.join(Wire.number(length), Wire.raw(1, 2, 3));
    refuses(
        bytes,
        WireCursor::lengthEnd,
        "byte 0 announces "
            + Long.toUnsignedString(length)
            + " bytes, but its message ends after 3");
  }

  @ParameterizedTest
  @ValueSource(ints = {3, 4, 6, 7})
  void refusesWireTypesThatOnnxDoesNotUse(int wireType) {
    refuses(Wire.raw(0), (c, end) -> c.skip(wireType, end), "wire type " + wireType);
  }

  @Test
  void refusesFixedValuesThatRunPastTheEnd() {
    refuses(Wire.raw(1, 2, 3), (c, end) -> c.skip(5, end), "a 4-byte value runs past the end");
    refuses(Wire.raw(1, 2, 3, 4), (c, end) -> c.skip(1, end), "8-byte value runs past the end");
    refuses(Wire.raw(1, 2, 3), WireCursor::fixed32, "a 4-byte value runs past the end");
  }

  @ParameterizedTest
  @ValueSource(longs = {0, 1, 127, 128, 16383, 16384, 1L << 35, Long.MAX_VALUE, -1, -12345})
  void readsVarintsOfEverySize(long value) throws IOException {
    byte[] bytes = Wire.number(value);
    reading(
        bytes,
        (cursor, end) -> {
          assertThat(cursor.varint(end)).isEqualTo(value);
          assertThat(cursor.position()).isEqualTo(bytes.length);
        });
  }

  @Test
  void readsFixedValuesAsLittleEndian() throws IOException {
    reading(
        Wire.raw(1, 2, 3, 0x84),
        (cursor, end) -> assertThat(cursor.fixed32(end)).isEqualTo(0x84030201));
  }

  @Test
  void skipsEveryKindOfValue() throws IOException {
    byte[] bytes =
        Wire.join(
            Wire.varint(1, 300), Wire.fixed64(2, 5), Wire.string(3, "abc"), Wire.fixed32(4, 6));
    reading(
        bytes,
        (cursor, end) -> {
          for (int field = 1; field <= 4; field++) {
            int tag = cursor.tag(end);
            assertThat(tag >>> 3).isEqualTo(field);
            cursor.skip(tag & 7, end);
          }
          assertThat(cursor.position()).isEqualTo(end);
        });
  }

  @Test
  void readsTheSameBytesStraightOnAndJumping() throws IOException {
    byte[] bytes = Protos.noise(3_000_000, 5);
    for (int i = 0; i < bytes.length; i++) {
      bytes[i] &= 0x7f;
    }
    reading(
        bytes,
        (cursor, end) -> {
          for (byte expected : bytes) {
            if (cursor.varint(end) != expected) {
              throw new AssertionError("byte " + cursor.position());
            }
          }
          for (int at : new int[] {0, 70_000, 69_999, 2_999_999, 5, 4_100, 4_101, 1_500_000}) {
            cursor.seek(at);
            assertThat(cursor.varint(end)).isEqualTo(bytes[at]);
          }
        });
  }

  @Test
  void copiesFromInsideAndOutsideTheWindowWithoutMoving() throws IOException {
    byte[] bytes = Protos.noise(3_000_000, 6);
    reading(
        bytes,
        (cursor, end) -> {
          cursor.skip(5, end);
          byte[] copy = new byte[2_500_000];
          cursor.copy(100_000, copy, 1, 2_400_000);
          assertThat(copy[0]).isZero();
          assertThat(Arrays.mismatch(copy, 1, 2_400_001, bytes, 100_000, 2_500_000)).isEqualTo(-1);
          assertThat(cursor.position()).isEqualTo(4);
        });
  }

  private void refuses(byte[] bytes, Reading reading, String message) {
    assertThatThrownBy(() -> reading(bytes, reading))
        .isInstanceOf(FormatException.class)
        .hasMessageContaining("m.onnx: byte ")
        .hasMessageContaining(message);
  }

  private void reading(byte[] bytes, Reading reading) throws IOException {
    Path path = Files.write(folder.resolve("m.onnx"), bytes);
    try (InputFile file = InputFile.open(path)) {
      reading.with(new WireCursor(file), bytes.length);
    }
  }
}
