package dev.graft.match;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.graft.error.FormatException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class NameMapTest {

  @TempDir Path folder;

  private Path file(String text) throws IOException {
    return Files.writeString(folder.resolve("names.map"), text);
  }

  @Test
  void namesTheFileThatIsMissing() {
    assertThatThrownBy(() -> NameMap.read(folder.resolve("absent")))
        .isInstanceOf(FormatException.class)
        .hasMessageContaining("absent: no such file");
  }

  @Test
  void refusesAFolder() {
    assertThatThrownBy(() -> NameMap.read(folder))
        .isInstanceOf(FormatException.class)
        .hasMessageContaining("is a directory");
  }

  @Test
  void refusesWhatIsNoText() throws IOException {
    Path binary = Files.write(folder.resolve("m.onnx"), new byte[] {8, 10, (byte) 0xff, 0, 1});

    assertThatThrownBy(() -> NameMap.read(binary))
        .isInstanceOf(FormatException.class)
        .hasMessageContaining("m.onnx: is not UTF-8 text");
  }

  @ParameterizedTest
  @ValueSource(strings = {"a", "a ->", "-> b", "a => b", "a - > b", " -> "})
  void namesTheLineOfAnotherForm(String line) throws IOException {
    Path file = file("# joins\n\n" + line + "\n");

    assertThatThrownBy(() -> NameMap.read(file))
        .isInstanceOf(FormatException.class)
        .hasMessageContaining("names.map: line 3 is '" + line.strip() + "'")
        .hasMessageContaining("expected 'adapter.module -> node or weight'");
  }

  @Test
  void refusesANameThatIsJoinedTwice() throws IOException {
    Path file = file("a -> b\na -> c\n");

    assertThatThrownBy(() -> NameMap.read(file))
        .hasMessageContaining("line 2 names 'a' a second time");
  }

  @Test
  void readsJoins() throws IOException {
    NameMap map = NameMap.read(file("# mine\r\n  a.b  ->  /x/y -> z \r\n\n#c -> d\nunit->/u"));

    assertThat(map.names()).containsExactlyInAnyOrder("a.b", "unit");
    assertThat(map.target("a.b")).contains("/x/y -> z");
    assertThat(map.target("unit")).contains("/u");
    assertThat(map.target("c")).isEmpty();
  }
}
