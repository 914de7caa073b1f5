package dev.graft.io;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class FileIdentityTest {

  @TempDir Path folder;

  @Test
  void isNothingForAMissingFile() {
    assertThatThrownBy(() -> FileIdentity.of(folder.resolve("none")))
        .isInstanceOf(NoSuchFileException.class);
  }

  @Test
  void neverTakesTwoFilesWithoutKeysForOne() {
    FileIdentity a = new FileIdentity(Path.of("a"), Optional.empty());
    FileIdentity b = new FileIdentity(Path.of("b"), Optional.empty());
    assertThat(a.isSameFile(b)).isFalse();
    assertThat(a.isSameFile(new FileIdentity(Path.of("a"), Optional.of(1)))).isTrue();
  }

  @Test
  void tellsALinkFromItsTargetWhereAsked() throws IOException {
    Path file = Files.writeString(folder.resolve("a"), "a");
    Path link = Files.createSymbolicLink(folder.resolve("link"), file);
    assertThat(FileIdentity.of(link).isSameFile(FileIdentity.of(file))).isTrue();
    assertThat(FileIdentity.ofUnlinked(link).isSameFile(FileIdentity.of(file))).isFalse();
  }
}
