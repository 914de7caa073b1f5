package dev.graft.io;

import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.graft.error.UsageException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class OutputGuardTest {

  @TempDir Path folder;
  private Path input;

  @BeforeEach
  void makeInput() throws IOException {
    input = Files.writeString(folder.resolve("in.onnx"), "in");
  }

  private void assertOverwrites(Path output) {
    assertThatThrownBy(() -> OutputGuard.check(List.of(folder.resolve("other"), input), output))
        .isInstanceOf(UsageException.class)
        .hasMessage(
            output
                + ": the output would overwrite the input "
                + input
                + "; choose another output path");
  }

  @Test
  void refusesTheInputItselfHoweverItIsSpelt() throws IOException {
    Files.createDirectory(folder.resolve("sub"));
    assertOverwrites(input);
    assertOverwrites(folder.resolve("./in.onnx"));
    assertOverwrites(folder.resolve("sub/../in.onnx"));
  }

  @Test
  void refusesAnInputThatDoesNotExistYet() {
    Path missing = folder.resolve("missing.onnx");
    assertThatThrownBy(() -> OutputGuard.check(List.of(missing), folder.resolve("./missing.onnx")))
        .isInstanceOf(UsageException.class);
  }

  @Test
  void refusesALinkToTheInput() throws IOException {
    assertOverwrites(Files.createSymbolicLink(folder.resolve("link.onnx"), input));
  }

  @Test
  void refusesTheTargetOfAnInputThatIsALink() throws IOException {
    Path link = Files.createSymbolicLink(folder.resolve("link.onnx"), input);
    assertThatThrownBy(() -> OutputGuard.check(List.of(link), input))
        .isInstanceOf(UsageException.class);
  }

  @Test
  void refusesAHardLinkToTheInput() throws IOException {
    assertOverwrites(Files.createLink(folder.resolve("hard.onnx"), input));
  }

  @Test
  void refusesTheInputThroughALinkedFolder() throws IOException {
    Path linked = Files.createSymbolicLink(folder.resolve("linked"), folder);
    assertOverwrites(linked.resolve("in.onnx"));
  }

  @Test
  void refusesADirectory() {
    assertThatThrownBy(() -> OutputGuard.check(List.of(input), folder))
        .isInstanceOf(UsageException.class)
        .hasMessageContaining("the output is a directory; name a file in it");
  }

  @Test
  void refusesAPipe() throws Exception {
    Path pipe = TestFiles.pipe(folder.resolve("pipe"));
    assertThatThrownBy(() -> OutputGuard.check(List.of(input), pipe))
        .isInstanceOf(UsageException.class)
        .hasMessageContaining("is a device, pipe or socket");
  }

  @Test
  void refusesAPathBelowAFile() {
    assertThatThrownBy(() -> OutputGuard.check(List.of(), input.resolve("a/b.onnx")))
        .isInstanceOf(UsageException.class)
        .hasMessageContaining("cannot lie below " + input);
  }

  @Test
  void acceptsNewOldAndDanglingNames() throws IOException {
    Path old = Files.writeString(folder.resolve("old.onnx"), "old");
    Path dangling = Files.createSymbolicLink(folder.resolve("dangling"), Path.of("nowhere"));
    for (Path output :
        List.of(old, dangling, folder.resolve("new.onnx"), folder.resolve("a/b/new.onnx"))) {
      assertThatCode(() -> OutputGuard.check(List.of(input), output)).doesNotThrowAnyException();
    }
  }
}
