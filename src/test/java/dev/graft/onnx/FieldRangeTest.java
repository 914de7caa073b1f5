package dev.graft.onnx;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.graft.error.FormatException;
import dev.graft.io.InputFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class FieldRangeTest {

  @TempDir Path folder;

  @Test
  void complainsAboutAFieldThatRunsOut() {
    assertThatThrownBy(() -> find(1, Wire.raw(0x0a, 5, 1)))
        .isInstanceOf(FormatException.class)
        .hasMessageContaining("announces 5 bytes");
  }

  @Test
  void ignoresTheSameNumberWithAnotherWireType() throws IOException {
    byte[] bytes =
        Wire.join(Wire.varint(1, 7), Wire.string(1, "a"), Wire.fixed32(1, 3), Wire.string(1, ""));
    assertThat(find(1, bytes)).containsExactly(new FieldRange(2, 5), new FieldRange(10, 12));
  }

  @Test
  void findsFieldsAmongOthersInFileOrder() throws IOException {
    byte[] bytes = Wire.join(Wire.string(2, "x"), Wire.string(13, "abc"), Wire.string(2, "y"));
    assertThat(find(2, bytes)).containsExactly(new FieldRange(0, 3), new FieldRange(8, 11));
    assertThat(find(3, bytes)).isEmpty();
  }

  @Test
  void seesFieldsOfTheMessageItselfOnly() throws IOException {
    byte[] bytes = Wire.message(5, Wire.string(1, "inner"));
    assertThat(find(1, bytes)).isEmpty();
  }

  private List<FieldRange> find(int field, byte[] bytes) throws IOException {
    Path path = Files.write(folder.resolve("m"), bytes);
    try (InputFile file = InputFile.open(path)) {
      return FieldRange.find(new WireCursor(file), MessageSpan.root(bytes.length), field);
    }
  }
}
