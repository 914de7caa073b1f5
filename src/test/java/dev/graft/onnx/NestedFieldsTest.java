package dev.graft.onnx;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.graft.error.FormatException;
import dev.graft.error.UnsupportedException;
import dev.graft.io.InputFile;
import dev.graft.onnx.proto.GraphProto;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class NestedFieldsTest {

  private static final int FIELD = 128;

  /** A declared value with a type, a shape of two lengths, and something unknown. */
  private static final byte[] VALUE =
      Wire.message(
          13,
          Wire.string(1, "x"),
          Wire.message(
              2,
              Wire.message(
                  1,
                  Wire.varint(1, 1),
                  Wire.message(2, Wire.message(1, Wire.varint(1, 4)), Wire.message(1)))),
          Wire.string(99, "\n\0\n\0"));

  @TempDir Path folder;

  @Test
  void refusesMoreFieldsThanTheHeapHolds() {
    assertThatThrownBy(() -> pass(8 * FIELD, VALUE)).isInstanceOf(UnsupportedException.class);
  }

  @Test
  void refusesWhatRunsPastItsMessage() {
    byte[] broken = Wire.message(13, Wire.message(2, Wire.raw(10), Wire.raw(5)));
    assertThatThrownBy(() -> pass(100 * FIELD, broken)).isInstanceOf(FormatException.class);
  }

  @Test
  void refusesTypesNestedWithoutEnd() {
    byte[] type = new byte[0];
    for (int i = 0; i < 60; i++) {
      type = Wire.message(4, Wire.message(1, type));
    }
    byte[] deep = Wire.message(13, Wire.message(2, type));
    assertThatThrownBy(() -> pass(1000 * FIELD, deep))
        .isInstanceOf(FormatException.class)
        .hasMessageContaining("nested deeper");
  }

  @Test
  void countsEveryFieldBelowAndNothingInNamesAndUnknownBytes() throws IOException {
    pass(9 * FIELD + 2 * FIELD, VALUE);
  }

  @Test
  void passesOverANumberWhereAMessageIsDue() throws IOException {
    pass(0, Wire.varint(13, 7));
    pass(2 * FIELD, Wire.fixed32(2000, 7));
  }

  private void pass(long heap, byte[] field) throws IOException {
    Path path = Files.write(folder.resolve("graph"), field);
    try (InputFile file = InputFile.open(path)) {
      WireCursor cursor = new WireCursor(file);
      int tag = cursor.tag(field.length);
      new NestedFields(cursor, new ScanBudget(path, heap))
          .pass(GraphProto.getDescriptor(), tag, field.length);
      assertThat(cursor.position()).isEqualTo(field.length);
    }
  }
}
