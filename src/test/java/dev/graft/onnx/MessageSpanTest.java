package dev.graft.onnx;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.graft.error.FormatException;
import dev.graft.io.InputFile;
import dev.graft.onnx.MessageSpan.FieldPlace;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class MessageSpanTest {

  @TempDir Path folder;

  @Test
  void mayNotBeLongerThanItsParent() throws IOException {
    Path path = Files.write(folder.resolve("m"), Wire.raw(4, 0, 0, 0, 0));
    try (InputFile file = InputFile.open(path)) {
      MessageSpan parent = MessageSpan.root(3);
      assertThatThrownBy(() -> MessageSpan.read(new WireCursor(file), parent, new FieldPlace(7, 0)))
          .isInstanceOf(FormatException.class)
          .hasMessageContaining("announces 4 bytes, but its message ends after 2");
    }
  }

  @Test
  void readsItsPlaceAndLeavesTheCursorAtTheBody() throws IOException {
    byte[] bytes = Wire.join(Wire.number(200), new byte[200]);
    Path path = Files.write(folder.resolve("m"), bytes);
    try (InputFile file = InputFile.open(path)) {
      WireCursor cursor = new WireCursor(file);
      MessageSpan root = MessageSpan.root(bytes.length);
      MessageSpan span = MessageSpan.read(cursor, root, new FieldPlace(5, 3));
      assertThat(cursor.position()).isEqualTo(2);
      assertThat(span.lengthStart()).isZero();
      assertThat(span.bodyStart()).isEqualTo(2);
      assertThat(span.bodyEnd()).isEqualTo(202);
      assertThat(span.index()).isEqualTo(3);
      assertThat(span.depth()).isEqualTo(1);
      assertThat(span.parent()).containsSame(root);
      assertThat(root.parent()).isEmpty();
    }
  }

  @Test
  void knowsWhatItIsByTheFieldsAbove() throws IOException {
    Path path = Files.write(folder.resolve("m"), new byte[4]);
    try (InputFile file = InputFile.open(path)) {
      WireCursor cursor = new WireCursor(file);
      MessageSpan root = MessageSpan.root(4);
      MessageSpan graph = MessageSpan.read(cursor, root, new FieldPlace(7, 0));
      assertThat(root.kind()).isEqualTo(MessageKind.MODEL);
      assertThat(graph.kind()).isEqualTo(MessageKind.GRAPH);
      assertThat(graph.field()).isEqualTo(7);
    }
  }

  @Test
  void keepsChildrenByFieldInOrder() throws IOException {
    Path path = Files.write(folder.resolve("m"), Wire.raw(0, 0, 0));
    try (InputFile file = InputFile.open(path)) {
      WireCursor cursor = new WireCursor(file);
      MessageSpan root = MessageSpan.root(3);
      assertThat(root.hasChildren()).isFalse();
      MessageSpan first = MessageSpan.read(cursor, root, new FieldPlace(1, 0));
      MessageSpan other = MessageSpan.read(cursor, root, new FieldPlace(5, 0));
      MessageSpan second = MessageSpan.read(cursor, root, new FieldPlace(1, 1));
      root.add(first);
      root.add(other);
      root.add(second);
      assertThat(root.hasChildren()).isTrue();
      assertThat(root.children(1)).containsExactly(first, second);
      assertThat(root.child(5)).isSameAs(other);
      assertThat(root.children(9)).isEmpty();
      assertThatThrownBy(() -> root.child(9)).isInstanceOf(IllegalStateException.class);
    }
  }
}
