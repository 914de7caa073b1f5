package dev.graft.onnx;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.graft.io.InputFile;
import dev.graft.onnx.MessageSpan.FieldPlace;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class WirePatchTest {

  private static final byte[] NONE = new byte[0];

  @TempDir Path folder;

  /** Messages nested three deep: field 7, in it field 5, in it field 8. */
  private record Nested(Path path, MessageSpan root, MessageSpan graph, MessageSpan tensor) {
    FieldRange value(int start, int end) {
      return new FieldRange(tensor.bodyStart() + start, tensor.bodyStart() + end);
    }

    FieldRange endOf(MessageSpan span) {
      return new FieldRange(span.bodyEnd(), span.bodyEnd());
    }

    WirePatch patch() {
      return new WirePatch(path, root);
    }
  }

  @Test
  void refusesOverlappingEdits() throws IOException {
    Nested file = nested(Wire.string(8, "abcdef"), NONE);
    WirePatch sameByte = file.patch();
    sameByte.replace(file.tensor(), file.value(2, 5), literal("x"));
    sameByte.replace(file.tensor(), file.value(4, 6), literal("y"));
    assertThatThrownBy(sameByte::plan)
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("two edits overlap at byte");
    WirePatch twice = file.patch();
    twice.replace(file.tensor(), file.value(2, 5), literal("abc"));
    twice.replace(file.tensor(), file.value(2, 5), literal("abc"));
    assertThatThrownBy(twice::plan).isInstanceOf(IllegalStateException.class);
  }

  @Test
  void refusesToInsertIntoWhatIsReplaced() throws IOException {
    Nested file = nested(Wire.string(8, "abcdef"), NONE);
    WirePatch patch = file.patch();
    patch.replace(file.tensor(), file.value(0, 8), literal("x"));
    patch.replace(file.tensor(), file.value(4, 4), literal("y"));
    assertThatThrownBy(patch::plan).isInstanceOf(IllegalStateException.class);
  }

  @Test
  void refusesToPatchInsideAMessageThatIsReplaced() throws IOException {
    Nested file = nested(Wire.string(8, "abcdef"), NONE);
    WirePatch patch = file.patch();
    long tag = file.tensor().lengthStart() - 1;
    patch.replace(file.graph(), new FieldRange(tag, file.tensor().bodyEnd()));
    patch.replace(file.tensor(), file.value(2, 3), literal("longer"));
    assertThatThrownBy(patch::plan).isInstanceOf(IllegalStateException.class);
  }

  @Test
  void copiesTheFileWhereNothingChanges() throws IOException {
    Nested file = nested(Wire.string(8, "abc"), NONE);
    FilePlan plan = file.patch().plan();
    assertThat(plan.pieces())
        .containsExactly(new Piece.Copied(file.path(), 0, file.root().bodyEnd()));
  }

  /** Around 127/128 and 16383/16384 the prefixes of one, two or all three levels change size. */
  @ParameterizedTest
  @ValueSource(ints = {1, 100, 110, 118, 120, 121, 122, 123, 124, 125, 126, 127, 128, 200, 16000})
  void mendsLengthPrefixesThatGrowAndShrink(int before) throws IOException {
    int[] sizes = {0, 1, 119, 120, 121, 122, 123, 124, 125, 126, 127, 128, 129, 16370, 16400};
    for (int after : sizes) {
      byte[] tail = Wire.string(3, "tail");
      Nested file = nested(Wire.string(8, "x".repeat(before)), tail);
      WirePatch patch = file.patch();
      FieldRange whole = new FieldRange(file.tensor().bodyStart(), file.tensor().bodyEnd());
      byte[] name = Wire.string(8, "y".repeat(after));
      patch.replace(file.tensor(), whole, Piece.Literal.of(name));
      assertThat(Outputs.bytes(patch.plan(), NONE)).isEqualTo(bytes(name, tail));
    }
  }

  @Test
  void mendsTheChangesOfSeveralLevelsTogether() throws IOException {
    byte[] tail = Wire.string(3, "tail");
    Nested file = nested(Wire.join(Wire.string(8, "abc"), Wire.string(8, "def")), tail);
    WirePatch patch = file.patch();
    byte[] large = Wire.string(8, "L".repeat(130));
    byte[] extra = Wire.string(2, "extra");
    patch.replace(file.graph(), file.endOf(file.graph()), Piece.Literal.of(extra));
    patch.replace(file.tensor(), file.value(5, 10));
    patch.replace(file.root(), file.endOf(file.root()), Piece.Literal.of(extra));
    patch.replace(file.tensor(), file.value(0, 5), Piece.Literal.of(large));
    patch.replace(file.tensor(), file.value(0, 0), Piece.Literal.of(extra));
    byte[] tensor = Wire.message(5, extra, large);
    byte[] expected =
        Wire.join(Wire.message(7, Wire.string(1, "first"), tensor, extra), tail, extra);
    assertThat(Outputs.bytes(patch.plan(), NONE)).isEqualTo(expected);
  }

  @Test
  void insertsIntoTheInnermostFirstWhereAllMessagesEndAtOneByte() throws IOException {
    Nested file = nested(Wire.string(8, "abc"), NONE);
    byte[] inner = Wire.string(8, "in");
    byte[] middle = Wire.string(2, "mid");
    byte[] outer = Wire.string(14, "out");
    WirePatch patch = file.patch();
    patch.replace(file.root(), file.endOf(file.root()), Piece.Literal.of(outer));
    patch.replace(file.graph(), file.endOf(file.graph()), Piece.Literal.of(middle));
    patch.replace(file.tensor(), file.endOf(file.tensor()), Piece.Literal.of(inner));
    byte[] expected =
        Wire.join(
            Wire.message(
                7, Wire.string(1, "first"), Wire.message(5, Wire.string(8, "abc"), inner), middle),
            outer);
    assertThat(Outputs.bytes(patch.plan(), NONE)).isEqualTo(expected);
  }

  @Test
  void insertsInTheOrderOfTheCallsAtOnePlace() throws IOException {
    Nested file = nested(Wire.string(8, "abc"), NONE);
    WirePatch patch = file.patch();
    patch.replace(file.root(), file.endOf(file.root()), literal("1"));
    patch.replace(file.root(), file.endOf(file.root()), literal("2"));
    byte[] expected = Wire.join(bytes(Wire.string(8, "abc"), NONE), Wire.raw('1', '2'));
    assertThat(Outputs.bytes(patch.plan(), NONE)).isEqualTo(expected);
  }

  private static Piece literal(String text) {
    return Piece.Literal.of(text.getBytes(StandardCharsets.US_ASCII));
  }

  private static byte[] bytes(byte[] tensor, byte[] tail) {
    return Wire.join(Wire.message(7, Wire.string(1, "first"), Wire.message(5, tensor)), tail);
  }

  private Nested nested(byte[] tensorBody, byte[] tail) throws IOException {
    byte[] bytes = bytes(tensorBody, tail);
    Path path = Files.write(folder.resolve("m"), bytes);
    try (InputFile file = InputFile.open(path)) {
      WireCursor cursor = new WireCursor(file);
      MessageSpan root = MessageSpan.root(bytes.length);
      cursor.seek(1);
      MessageSpan graph = MessageSpan.read(cursor, root, new FieldPlace(7, 0));
      cursor.seek(FieldRange.find(cursor, graph, 5).getFirst().start() + 1);
      return new Nested(path, root, graph, MessageSpan.read(cursor, graph, new FieldPlace(5, 0)));
    }
  }
}
