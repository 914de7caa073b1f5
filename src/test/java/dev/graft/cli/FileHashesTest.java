package dev.graft.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.graft.error.FormatException;
import dev.graft.io.Progress;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class FileHashesTest {

  private static final String EMPTY =
      "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
  private static final String ABC =
      "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

  @TempDir Path folder;

  @Test
  void namesAFileThatIsGone() {
    Path gone = folder.resolve("gone");
    assertThatThrownBy(() -> new FileHashes(2, Progress.NONE).of(List.of(gone)))
        .isInstanceOf(FormatException.class)
        .hasMessageContaining(gone.toString());
  }

  @Test
  void keepsTheOrderOfTheFiles() throws IOException {
    Path abc = Files.writeString(folder.resolve("abc"), "abc");
    Path empty = Files.writeString(folder.resolve("empty"), "");
    assertThat(new FileHashes(2, Progress.NONE).of(List.of(empty, abc)))
        .containsExactly(
            new FileEntry(empty.toString(), 0, Optional.of(EMPTY)),
            new FileEntry(abc.toString(), 3, Optional.of(ABC)));
  }
}
