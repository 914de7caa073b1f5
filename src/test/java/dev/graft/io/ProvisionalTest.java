package dev.graft.io;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ProvisionalTest {

  @TempDir Path folder;

  private static void write(Path file) {
    try (AtomicOutput output = AtomicOutput.begin(file)) {
      output.main().write(MemorySegment.ofArray(new byte[] {1}), 0);
      output.commit();
    }
  }

  @Test
  void removesFilesAndTheFoldersMadeForThem() {
    Path one = folder.resolve("a/b/one");
    Path two = folder.resolve("a/b/two");
    try (Provisional _ = Provisional.of(List.of(one, two))) {
      write(one);
      write(two);
    }
    assertThat(folder).isEmptyDirectory();
  }

  @Test
  void leavesAFolderThatOthersHaveUsed() {
    Path mine = folder.resolve("a/b/mine");
    try (Provisional _ = Provisional.of(List.of(mine))) {
      write(mine);
      write(folder.resolve("a/theirs"));
    }
    assertThat(folder.resolve("a/theirs")).exists();
    assertThat(folder.resolve("a/b")).doesNotExist();
  }

  @Test
  void touchesNothingThatIsThereAlready() throws IOException {
    Path file = Files.writeString(Files.createDirectory(folder.resolve("a")).resolve("f"), "old");
    Path beside = folder.resolve("a/new");
    try (Provisional _ = Provisional.of(List.of(file, beside))) {
      write(beside);
    }
    assertThat(file).hasContent("old");
    assertThat(beside).doesNotExist();
  }

  @Test
  void leavesWhatIsKept() {
    Path file = folder.resolve("a/f");
    try (Provisional made = Provisional.of(List.of(file))) {
      write(file);
      made.keep();
    }
    assertThat(file).exists();
  }
}
