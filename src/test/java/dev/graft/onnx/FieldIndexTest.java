package dev.graft.onnx;

import static org.assertj.core.api.Assertions.assertThat;

import dev.graft.io.InputFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class FieldIndexTest {

  @TempDir Path folder;

  @Test
  void findsMessagesWithTheirTagsAndThePlaceBehindTheLast() throws IOException {
    byte[] name = Wire.string(2, "g");
    byte[] first = Wire.message(1, Wire.string(4, "A"));
    byte[] second = Wire.join(Wire.raw(0x8a, 0x00, 3), Wire.string(4, "B"));
    byte[] file = Wire.model(name, first, name, second, name);
    Path path = Files.write(folder.resolve("m.onnx"), file);
    OnnxModel model = OnnxModel.open(path);
    MessageSpan graph = model.graph().span();
    long start = graph.bodyStart();
    try (InputFile input = InputFile.open(path)) {
      FieldIndex fields = new FieldIndex(new WireCursor(input));
      long firstStart = start + name.length;
      long secondStart = firstStart + first.length + name.length;
      long secondEnd = secondStart + second.length;
      assertThat(fields.whole(model.graph().nodes().getFirst().span()))
          .isEqualTo(new FieldRange(firstStart, firstStart + first.length));
      assertThat(fields.whole(model.graph().nodes().getLast().span()))
          .isEqualTo(new FieldRange(secondStart, secondEnd));
      assertThat(fields.behind(graph, 1)).isEqualTo(new FieldRange(secondEnd, secondEnd));
      assertThat(fields.behind(graph, 5))
          .isEqualTo(new FieldRange(graph.bodyEnd(), graph.bodyEnd()));
      assertThat(fields.of(graph, 2)).hasSize(3);
    }
  }
}
