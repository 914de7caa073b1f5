package dev.graft.onnx;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.graft.error.FormatException;
import dev.graft.error.UnsupportedException;
import dev.graft.io.InputFile;
import dev.graft.onnx.TensorPayload.Encoding;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class PayloadWalkTest {

  private static final byte[] RAW = Wire.message(9, new byte[4]);
  private static final byte[] FLOATS = Wire.message(4, new byte[4]);
  private static final byte[] NAME = Wire.string(8, "w");

  @TempDir Path folder;

  @Test
  void refusesRawDataTwice() {
    assertThatThrownBy(() -> walk(RAW, NAME, RAW))
        .isInstanceOf(FormatException.class)
        .hasMessageContaining("raw_data twice");
  }

  @Test
  void refusesRawDataNextToTypedValues() {
    for (int field : new int[] {4, 5, 6, 7, 10, 11}) {
      byte[] typed = Wire.message(field, new byte[8]);
      assertThatThrownBy(() -> walk(RAW, typed)).isInstanceOf(FormatException.class);
      assertThatThrownBy(() -> walk(typed, RAW)).isInstanceOf(FormatException.class);
      assertThatThrownBy(() -> walk(typed, typed, RAW)).isInstanceOf(FormatException.class);
    }
  }

  @Test
  void stopsAtManyScatteredValuesInASmallHeap() {
    byte[] scattered = Wire.join(Wire.fixed32(4, 1), Wire.varint(1, 1));
    byte[][] many = IntStream.range(0, 5000).mapToObj(_ -> scattered).toArray(byte[][]::new);
    assertThatThrownBy(() -> walk(1 << 20, many)).isInstanceOf(UnsupportedException.class);
  }

  @Test
  void findsNothing() throws IOException {
    PayloadWalk walk = walk(NAME);
    assertThat(walk.payload()).isEqualTo(TensorPayload.none());
    assertThat(walk.ranges()).isEmpty();
    assertThat(walk.valueBytes()).isZero();
  }

  @Test
  void findsRawDataAndOnePackedRunOfFloats() throws IOException {
    assertThat(walk(NAME, RAW).payload()).isEqualTo(new TensorPayload(Encoding.RAW, 5, 4));
    assertThat(walk(FLOATS, NAME).payload())
        .isEqualTo(new TensorPayload(Encoding.PACKED_FLOAT, 2, 4));
    assertThat(walk(NAME, RAW, NAME).ranges()).containsExactly(new FieldRange(3, 9));
  }

  @ParameterizedTest
  @ValueSource(ints = {5, 6, 7, 10, 11})
  void takesOtherFieldsAsTyped(int field) throws IOException {
    PayloadWalk walk = walk(NAME, Wire.message(field, new byte[8]));
    assertThat(walk.payload()).isEqualTo(new TensorPayload(Encoding.TYPED, 0, 13));
    assertThat(walk.valueBytes()).isEqualTo(8);
  }

  @Test
  void takesSeveralRunsAndSingleElementsAsTypedAndJoinsNeighbours() throws IOException {
    PayloadWalk walk = walk(FLOATS, Wire.fixed32(4, 1), NAME, FLOATS, FLOATS);
    assertThat(walk.payload().encoding()).isEqualTo(Encoding.TYPED);
    assertThat(walk.valueBytes()).isEqualTo(16);
    assertThat(walk.ranges()).containsExactly(new FieldRange(0, 11), new FieldRange(14, 26));
  }

  @Test
  void keepsMillionsOfSingleElementsAsOneRange() throws IOException {
    byte[] elements = new byte[5 * 200_000];
    for (int i = 0; i < elements.length; i += 5) {
      elements[i] = (4 << 3) | 5;
    }
    PayloadWalk walk = walk(1 << 12, NAME, elements);
    assertThat(walk.ranges()).containsExactly(new FieldRange(3, 3 + elements.length));
  }

  @Test
  void leavesPayloadNumbersWithOtherWireTypesAlone() throws IOException {
    PayloadWalk walk =
        walk(Wire.varint(9, 5), Wire.varint(4, 5), Wire.fixed32(5, 5), Wire.fixed64(7, 1), NAME);
    assertThat(walk.payload()).isEqualTo(TensorPayload.none());
    assertThat(walk.ranges()).isEmpty();
  }

  private PayloadWalk walk(byte[]... fields) throws IOException {
    return walk(1 << 20, fields);
  }

  private PayloadWalk walk(long heap, byte[]... fields) throws IOException {
    byte[] bytes = Wire.join(fields);
    Path path = Files.write(folder.resolve("tensor"), bytes);
    try (InputFile file = InputFile.open(path)) {
      WireCursor cursor = new WireCursor(file);
      PayloadWalk walk =
          PayloadWalk.of(cursor, MessageSpan.root(bytes.length), new ScanBudget(path, heap));
      assertThat(cursor.position()).isEqualTo(bytes.length);
      return walk;
    }
  }
}
