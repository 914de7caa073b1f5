package dev.graft.io;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.graft.error.FormatException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RangeCopierTest {

  private static final int MB = 1 << 20;

  @TempDir Path folder;

  @Test
  void refusesARangeBeyondTheEnd() throws IOException {
    Path from = Files.write(folder.resolve("from"), new byte[10]);
    try (InputFile in = InputFile.open(from);
        AtomicOutput out = AtomicOutput.begin(folder.resolve("to"));
        RangeCopier copier = new RangeCopier(in, out.main(), Progress.NONE)) {
      assertThatThrownBy(() -> copier.copy(4, 7, 0))
          .isInstanceOf(FormatException.class)
          .hasMessageContaining("7 bytes at offset 4 are needed, but only 6 are there");
    }
    assertThat(TestFiles.names(folder)).containsExactly("from");
  }

  @Test
  void noticesThatTheInputShrankInsteadOfTakingItsEndForAHole() throws IOException {
    for (int size : new int[] {1000, 8 * MB}) {
      Path from = Files.write(folder.resolve("from"), TestFiles.noise(size, 3));
      try (InputFile in = InputFile.open(from);
          AtomicOutput out = AtomicOutput.begin(folder.resolve("to"));
          RangeCopier copier = new RangeCopier(in, out.main(), Progress.NONE)) {
        try (FileChannel other = FileChannel.open(from, StandardOpenOption.WRITE)) {
          other.truncate(size / 2);
        }
        assertThatThrownBy(copier::copyAll)
            .isInstanceOf(FormatException.class)
            .hasMessageContaining("the file shrank or is truncated");
      }
    }
  }

  @Test
  void copiesRangesToOtherPositions() throws IOException {
    byte[] bytes = TestFiles.noise(40 * MB + 3, 4);
    Path from = Files.write(folder.resolve("from"), bytes);
    Path to = folder.resolve("to");
    AtomicLong seen = new AtomicLong();
    try (InputFile in = InputFile.open(from);
        AtomicOutput out = AtomicOutput.begin(to);
        RangeCopier copier = new RangeCopier(in, out.main(), seen::addAndGet)) {
      assertThat(copier.copy(5, 40 * MB - 10, 0)).isEqualTo(40 * MB - 10);
      assertThat(copier.copy(0, 3, 40 * MB)).isEqualTo(3);
      assertThat(copier.copy(7, 0, 0)).isZero();
      out.commit();
    }
    byte[] copied = Files.readAllBytes(to);
    assertThat(TestFiles.part(copied, 0, 40 * MB - 10))
        .isEqualTo(TestFiles.part(bytes, 5, 40 * MB - 10));
    assertThat(TestFiles.part(copied, 40 * MB - 10, 10)).isEqualTo(new byte[10]);
    assertThat(TestFiles.part(copied, 40 * MB, 3)).isEqualTo(TestFiles.part(bytes, 0, 3));
    assertThat(copied).hasSize(40 * MB + 3);
    assertThat(seen).hasValue(40L * MB - 7);
  }

  @Test
  void copiesToTheSamePlacesFromTheMiddleOfABlockAndCountsEveryByteOnce() throws IOException {
    byte[] bytes = TestFiles.noise(33 * MB, 5);
    Path from = Files.write(folder.resolve("from"), bytes);
    Path to = folder.resolve("to");
    AtomicLong seen = new AtomicLong();
    int[] starts = {0, 1000, 4096, 8191, 20000, 33 * MB};
    try (InputFile in = InputFile.open(from);
        AtomicOutput out = AtomicOutput.begin(to);
        RangeCopier copier = new RangeCopier(in, out.main(), seen::addAndGet)) {
      for (int i = 0; i + 1 < starts.length; i++) {
        copier.copy(starts[i], starts[i + 1] - starts[i], starts[i]);
      }
      assertThat(in.bytesRead()).isEqualTo(bytes.length);
      assertThat(out.main().bytesWritten()).isEqualTo(bytes.length);
      assertThat(seen).hasValue(bytes.length);
      out.commit();
    }
    assertThat(Files.readAllBytes(to)).isEqualTo(bytes);
  }

  @Test
  void copiesAnEmptyFile() throws IOException {
    Path from = Files.write(folder.resolve("from"), new byte[0]);
    try (InputFile in = InputFile.open(from);
        AtomicOutput out = AtomicOutput.begin(folder.resolve("to"));
        RangeCopier copier = new RangeCopier(in, out.main(), Progress.NONE)) {
      assertThat(copier.copyAll()).isZero();
      out.commit();
    }
    assertThat(folder.resolve("to")).isEmptyFile();
  }

  @Test
  void keepsHolesOfASixGigabyteFileAndItsLength() throws Exception {
    Path from = sparse(6L << 30, new long[] {0, 3L << 30, (5L << 30) + 12345});
    assumeTrue(
        TestFiles.isLinux() && TestFiles.allocated(from) < 100 * MB,
        "the file system has no holes");
    Path to = folder.resolve("to");
    AtomicLong seen = new AtomicLong();
    long copied;
    try (InputFile in = InputFile.open(from);
        AtomicOutput out = AtomicOutput.begin(to);
        RangeCopier copier = new RangeCopier(in, out.main(), seen::addAndGet)) {
      copied = copier.copyAll();
      out.commit();
    }
    assertThat(copied).isBetween(3L * MB, 4L * MB);
    assertThat(seen).hasValue(6L << 30);
    assertThat(Files.size(to)).isEqualTo(6L << 30);
    assertThat(TestFiles.allocated(to)).isLessThanOrEqualTo(TestFiles.allocated(from) + 8192);
    assertThat(bytesAt(to, (5L << 30) + 12345, MB))
        .isEqualTo(TestFiles.noise(MB, (5L << 30) + 12345));
    assertThat(bytesAt(to, 3L << 30, MB)).isEqualTo(TestFiles.noise(MB, 3L << 30));
    assertThat(bytesAt(to, 1L << 30, MB)).isEqualTo(new byte[MB]);
  }

  @Test
  void copiesARangeThatBeginsAndEndsInHoles() throws Exception {
    Path from = sparse(64L * MB, new long[] {10L * MB});
    Path to = folder.resolve("to");
    try (InputFile in = InputFile.open(from);
        AtomicOutput out = AtomicOutput.begin(to);
        RangeCopier copier = new RangeCopier(in, out.main(), Progress.NONE)) {
      copier.copy(9L * MB, 20L * MB, 100);
      copier.copy(40L * MB, 0, 0);
      out.commit();
    }
    assertThat(Files.size(to)).isEqualTo(20L * MB + 100);
    assertThat(bytesAt(to, MB + 100, MB)).isEqualTo(TestFiles.noise(MB, 10L * MB));
    assertThat(bytesAt(to, 0, MB)).isEqualTo(new byte[MB]);
    assertThat(bytesAt(to, 2L * MB + 100, MB)).isEqualTo(new byte[MB]);
  }

  /** A file with a megabyte of noise at each position, seeded by it, and nothing stored between. */
  private Path sparse(long size, long[] positions) throws IOException {
    Path file = folder.resolve("from");
    try (FileChannel channel =
        FileChannel.open(
            file,
            StandardOpenOption.CREATE_NEW,
            StandardOpenOption.WRITE,
            StandardOpenOption.SPARSE)) {
      for (long position : positions) {
        channel.write(ByteBuffer.wrap(TestFiles.noise(MB, position)), position);
      }
      channel.write(ByteBuffer.wrap(new byte[1]), size - 1);
    }
    return file;
  }

  private static byte[] bytesAt(Path file, long position, int length) {
    byte[] bytes = new byte[length];
    try (InputFile in = InputFile.open(file)) {
      in.readFully(ByteBuffer.wrap(bytes), position);
    }
    return bytes;
  }
}
