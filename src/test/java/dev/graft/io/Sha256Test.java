package dev.graft.io;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.graft.error.FormatException;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class Sha256Test {

  /** From FIPS 180-2, appendix B. */
  private static final String OF_ABC =
      "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

  private static final String OF_NOTHING =
      "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

  @TempDir Path folder;

  @Test
  void refusesARangeBeyondTheEnd() throws IOException {
    try (InputFile file = InputFile.open(Files.writeString(folder.resolve("a"), "abc"))) {
      assertThatThrownBy(() -> Sha256.of(file, 1, 3, Progress.NONE))
          .isInstanceOf(FormatException.class)
          .hasMessageContaining("3 bytes at offset 1 are needed, but only 2 are there");
    }
  }

  @Test
  void hashesARangeAndNothing() throws IOException {
    try (InputFile file = InputFile.open(Files.writeString(folder.resolve("a"), "xxabcxx"))) {
      assertThat(Sha256.of(file, 2, 3, Progress.NONE)).isEqualTo(OF_ABC);
      assertThat(Sha256.of(file, 7, 0, Progress.NONE)).isEqualTo(OF_NOTHING);
    }
  }

  @Test
  void hashesTheSameInStepsFromFileAndFromMemory() throws IOException {
    byte[] bytes = TestFiles.noise((1 << 20) + 17, 2);
    AtomicLong seen = new AtomicLong();
    Sha256 heap = new Sha256();
    heap.update(MemorySegment.ofArray(bytes));
    Sha256 direct = new Sha256();
    try (Arena arena = Arena.ofConfined();
        InputFile file = InputFile.open(Files.write(folder.resolve("a"), bytes))) {
      direct.update(arena.allocate(bytes.length).copyFrom(MemorySegment.ofArray(bytes)));
      String expected = heap.hex();
      assertThat(direct.hex()).isEqualTo(expected);
      assertThat(Sha256.of(file, seen::addAndGet)).isEqualTo(expected);
    }
    assertThat(seen).hasValue(bytes.length);
  }

  @Test
  void beginsAnewAfterEachHash() {
    Sha256 hash = new Sha256();
    hash.update(MemorySegment.ofArray("abc".getBytes(StandardCharsets.US_ASCII)));
    assertThat(hash.hex()).isEqualTo(OF_ABC);
    assertThat(hash.hex()).isEqualTo(OF_NOTHING);
  }
}
