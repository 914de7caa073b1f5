package dev.graft.io;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.graft.error.FormatException;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

class InputFileTest {

  @TempDir Path folder;

  @Test
  void refusesMissingFile() {
    assertThatThrownBy(() -> InputFile.open(folder.resolve("none.bin")))
        .isInstanceOf(FormatException.class)
        .hasMessageEndingWith("none.bin: no such file");
  }

  @Test
  void refusesDanglingLink() throws IOException {
    Path link = Files.createSymbolicLink(folder.resolve("link.bin"), Path.of("gone.bin"));
    assertThatThrownBy(() -> InputFile.open(link))
        .isInstanceOf(FormatException.class)
        .hasMessageContaining("link.bin: no such file: the symbolic link leads nowhere");
  }

  @Test
  void refusesDirectory() {
    assertThatThrownBy(() -> InputFile.open(folder))
        .isInstanceOf(FormatException.class)
        .hasMessage(folder + ": is a directory, a file is expected");
  }

  @Test
  void refusesFileBelowFile() throws IOException {
    Path file = Files.writeString(folder.resolve("a.bin"), "a");
    assertThatThrownBy(() -> InputFile.open(file.resolve("b.bin")))
        .isInstanceOf(FormatException.class)
        .hasMessageContaining("b.bin: ");
  }

  @Test
  @Timeout(10)
  void refusesPipeWithoutWaitingForAWriter() throws Exception {
    Path pipe = TestFiles.pipe(folder.resolve("pipe"));
    assertThatThrownBy(() -> InputFile.open(pipe))
        .isInstanceOf(FormatException.class)
        .hasMessageContaining("pipe: is a device, pipe or socket, a regular file is expected");
  }

  @Test
  void reportsAReadBeyondTheEnd() throws IOException {
    Path file = Files.write(folder.resolve("a.bin"), new byte[10]);
    try (InputFile in = InputFile.open(file)) {
      assertThatThrownBy(() -> in.readFully(ByteBuffer.allocate(8), 6))
          .isInstanceOf(FormatException.class)
          .hasMessage(
              file
                  + ": 8 bytes at offset 6 are needed, but only 4 are there (the file had 10 bytes when it"
                  + " was opened); the file shrank or is truncated");
    }
  }

  @Test
  void reportsAFileThatShrankAfterItWasOpened() throws IOException {
    Path file = Files.write(folder.resolve("a.bin"), new byte[1000]);
    try (InputFile in = InputFile.open(file)) {
      try (FileChannel other = FileChannel.open(file, StandardOpenOption.WRITE)) {
        other.truncate(300);
      }
      assertThatThrownBy(() -> in.readFully(MemorySegment.ofArray(new byte[1000]), 0))
          .isInstanceOf(FormatException.class)
          .hasMessageContaining("1000 bytes at offset 0 are needed, but only 300 are there");
      assertThat(in.size()).isEqualTo(1000);
    }
  }

  @Test
  void fillsHeapAndNativeSegmentsAlikeFromManyThreads() throws IOException {
    byte[] bytes = TestFiles.noise(3 << 20, 1);
    Path file = Files.write(folder.resolve("a.bin"), bytes);
    try (InputFile in = InputFile.open(file)) {
      IntStream.range(0, 8)
          .parallel()
          .forEach(i -> {
            byte[] heap = new byte[(2 << 20) + 1];
            in.readFully(MemorySegment.ofArray(heap), 1000L * i + 1);
            try (Arena arena = Arena.ofConfined()) {
              MemorySegment direct = arena.allocate(heap.length);
              in.readFully(direct, 1000L * i + 1);
              assertThat(direct.toArray(ValueLayout.JAVA_BYTE)).isEqualTo(heap);
            }
            assertThat(heap).isEqualTo(TestFiles.part(bytes, 1000 * i + 1, heap.length));
          });
    }
  }

  @Test
  void readsNothingAtTheEnd() throws IOException {
    try (InputFile in = InputFile.open(Files.write(folder.resolve("a.bin"), new byte[3]))) {
      in.readFully(MemorySegment.ofArray(new byte[0]), 3);
      assertThat(in.size()).isEqualTo(3);
    }
  }

  @Test
  void knowsOneFileUnderSeveralNames() throws IOException {
    Path file = Files.writeString(folder.resolve("a.bin"), "a");
    Path soft = Files.createSymbolicLink(folder.resolve("soft"), file);
    Path hard = Files.createLink(folder.resolve("hard"), file);
    Path copy = Files.copy(file, folder.resolve("copy"));
    try (InputFile a = InputFile.open(file);
        InputFile b = InputFile.open(soft);
        InputFile c = InputFile.open(hard);
        InputFile d = InputFile.open(copy)) {
      assertThat(a.identity().isSameFile(b.identity())).isTrue();
      assertThat(a.identity().isSameFile(c.identity())).isTrue();
      assertThat(a.identity().isSameFile(d.identity())).isFalse();
    }
  }
}
