package dev.graft.io;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.graft.error.RuntimeFailure;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class OutputFileTest {

  @TempDir Path folder;

  @Test
  void refusesToReadBackWhatWasNeverWritten() {
    try (AtomicOutput out = AtomicOutput.begin(folder.resolve("a"))) {
      out.main().write(ByteBuffer.wrap(new byte[4]), 0);
      assertThatThrownBy(() -> out.main().readFully(MemorySegment.ofArray(new byte[4]), 1))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("4 bytes at offset 1 have not been written yet");
    }
  }

  @Test
  void refusesWritesAfterTheCommit() {
    try (AtomicOutput out = AtomicOutput.begin(folder.resolve("a"))) {
      out.commit();
      assertThatThrownBy(() -> out.main().write(ByteBuffer.wrap(new byte[4]), 0))
          .isInstanceOf(RuntimeFailure.class);
    }
  }

  @Test
  void takesBlocksFromManyThreadsInAnyOrder() throws IOException {
    int block = (1 << 20) + 5;
    byte[] expected = TestFiles.noise(block * 40, 7);
    Path path = folder.resolve("a");
    try (AtomicOutput out = AtomicOutput.begin(path)) {
      IntStream.range(0, 40)
          .parallel()
          .forEach(i -> {
            MemorySegment part = MemorySegment.ofArray(expected).asSlice((long) i * block, block);
            try (Arena arena = Arena.ofConfined()) {
              MemorySegment from = i % 2 == 0 ? part : arena.allocate(block).copyFrom(part);
              out.main().write(from, (long) i * block);
            }
          });
      assertThat(Sha256.of(out.main(), Progress.NONE)).hasSize(64);
      assertThat(out.main().size()).isEqualTo(expected.length);
      out.commit();
    }
    assertThat(Files.readAllBytes(path)).isEqualTo(expected);
  }

  @Test
  void readsGapsAsZeros() {
    byte[] back = new byte[6];
    try (AtomicOutput out = AtomicOutput.begin(folder.resolve("a"))) {
      out.main().write(ByteBuffer.wrap(new byte[] {1, 2}), 4);
      out.main().readFully(MemorySegment.ofArray(back), 0);
    }
    assertThat(back).containsExactly(0, 0, 0, 0, 1, 2);
  }
}
