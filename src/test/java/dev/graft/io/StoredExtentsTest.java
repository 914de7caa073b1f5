package dev.graft.io;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class StoredExtentsTest {

  private static final long MB = 1 << 20;

  @TempDir Path folder;

  @BeforeEach
  void onlyWhereTheSystemCanTell() {
    assumeTrue(TestFiles.isLinux());
  }

  @Test
  void tellsNothingOfAFileThatWasExchangedSinceItWasOpened() throws IOException {
    Path path = Files.write(folder.resolve("a"), TestFiles.noise(100, 8));
    Path other = Files.write(folder.resolve("b"), new byte[100]);
    try (InputFile file = InputFile.open(path)) {
      Files.move(other, path, StandardCopyOption.REPLACE_EXISTING);
      assertThat(StoredExtents.of(file)).isEmpty();
      Files.delete(path);
      assertThat(StoredExtents.of(file)).isEmpty();
    }
  }

  @Test
  void findsWhereDataAndHolesBegin() throws Exception {
    Path path = folder.resolve("a");
    try (FileChannel channel =
        FileChannel.open(path, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
      channel.write(ByteBuffer.wrap(TestFiles.noise(1 << 20, 9)), 4 * MB);
      channel.write(ByteBuffer.wrap(new byte[1]), 16 * MB - 1);
    }
    assumeTrue(TestFiles.allocated(path) < 2 * MB, "the file system has no holes");
    try (InputFile file = InputFile.open(path);
        StoredExtents extents = StoredExtents.of(file).orElseThrow()) {
      assertThat(extents.nextStored(0)).isEqualTo(4 * MB);
      assertThat(extents.nextStored(4 * MB + 77)).isEqualTo(4 * MB + 77);
      assertThat(extents.nextHole(4 * MB)).isEqualTo(5 * MB);
      assertThat(extents.nextStored(5 * MB)).isBetween(15 * MB, 16 * MB - 1);
      assertThat(extents.nextHole(16 * MB - 1)).isEqualTo(16 * MB);
      assertThat(extents.nextStored(16 * MB)).isEqualTo(16 * MB);
    }
  }

  @Test
  void seesThatOnlyAHoleFollows() throws IOException {
    Path path = Files.write(folder.resolve("a"), TestFiles.noise(100, 10));
    try (InputFile file = InputFile.open(path);
        StoredExtents extents = StoredExtents.of(file).orElseThrow()) {
      try (FileChannel other = FileChannel.open(path, StandardOpenOption.WRITE)) {
        other.truncate(0);
      }
      assertThat(extents.nextStored(50)).isEqualTo(100);
    }
  }
}
