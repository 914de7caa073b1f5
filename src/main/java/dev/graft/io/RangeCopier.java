package dev.graft.io;

import dev.graft.error.FormatException;
import dev.graft.error.RuntimeFailure;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.channels.FileChannel;
import java.util.Optional;

/**
 * Copies byte ranges of one file into another without bringing them into this process: the JDK asks
 * the kernel ({@code copy_file_range}, which shares blocks where the file system can, else {@code
 * sendfile}). Holes are skipped, so the target must not hold anything in their place yet.
 *
 * <p>One instance serves one thread; several may copy between the same two files at once.
 */
public final class RangeCopier implements AutoCloseable {

  /** Short enough for a lively progress bar and write-back, long enough that calls cost nothing. */
  private static final long STEP = 16L << 20;

  /** What file systems share between files is in blocks of this size or smaller ones. */
  private static final long SHARED_BLOCK = 1 << 12;

  /**
   * Below this a file is copied without asking for holes: loading the linker takes as long as
   * copying two hundred megabytes.
   */
  private static final long SMALLEST_SPARSE = 1L << 30;

  private final InputFile from;
  private final OutputFile to;
  private final Progress progress;
  private final Optional<StoredExtents> extents;
  private final FileChannel out;

  /**
   * Prepares copies between two files.
   *
   * @param progress told of every byte dealt with, holes included
   */
  public RangeCopier(InputFile from, OutputFile to, Progress progress) {
    this.from = from;
    this.to = to;
    this.progress = progress;
    try {
      this.out = to.openForCopy();
    } catch (IOException e) {
      throw to.failed(e, 0, from.size());
    }
    this.extents = from.size() < SMALLEST_SPARSE ? Optional.empty() : StoredExtents.of(from);
  }

  /** Copies the whole file to the same positions; see {@link #copy}. */
  public long copyAll() {
    return copy(0, from.size(), 0);
  }

  /**
   * Copies a range; the target is at least {@code toOffset + length} bytes long afterwards.
   *
   * @param offset first byte in the input
   * @param length number of bytes
   * @param toOffset where the first byte goes
   * @return bytes really copied, that is {@code length} less the holes
   * @throws FormatException if the input ends before the range
   * @throws RuntimeFailure if the disk is full or fails
   */
  public long copy(long offset, long length, long toOffset) {
    long end = offset + length;
    if (end > from.size()) {
      throw from.endsEarly(offset, length, Math.max(0, from.size() - offset));
    }
    long copied = 0;
    long position = offset;
    while (position < end) {
      long stored = Math.min(end, nextStored(position));
      long hole = stored == end ? end : Math.min(end, nextHole(stored));
      progress.advance(stored - position);
      copyStored(stored, hole, toOffset - offset);
      copied += hole - stored;
      position = hole;
    }
    requireNotShrunk(offset, length);
    extendTo(toOffset + length);
    return copied;
  }

  /** A file that shrank while it was copied looks like one that ends in a hole. */
  private void requireNotShrunk(long offset, long length) {
    try {
      from.requireNotShrunk(offset, length);
    } catch (IOException e) {
      throw unreadable(e);
    }
  }

  private FormatException unreadable(IOException e) {
    return new FormatException(
        from.path() + ": cannot be examined for holes: " + Refusal.reason(e), e);
  }

  private void copyStored(long start, long end, long shift) {
    long position = start;
    try {
      out.position(start + shift);
      while (position < end) {
        long wanted = Math.min(end, nextStop(position, shift)) - position;
        long count = from.transferTo(out, position, wanted);
        if (count > 0) {
          to.wrote(count);
        } else {
          count = copyThroughMemory(position, wanted, shift);
        }
        progress.advance(count);
        position += count;
      }
    } catch (IOException e) {
      throw to.failed(e, position + shift, end - position);
    }
  }

  /**
   * Where the copy that begins at a position ends at most: file systems share whole blocks only, so
   * what lies before the first one goes by itself.
   */
  private static long nextStop(long position, long shift) {
    long intoBlock = position % SHARED_BLOCK;
    return intoBlock != 0 && shift % SHARED_BLOCK == 0
        ? position - intoBlock + SHARED_BLOCK
        : position + STEP;
  }

  /** For kernels that copy nothing between some file systems; also tells a file that shrank. */
  private long copyThroughMemory(long position, long count, long shift) throws IOException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment block = arena.allocate(count);
      from.readFully(block, position);
      to.write(block, position + shift);
      out.position(position + shift + count);
      return count;
    }
  }

  /**
   * A hole at the end leaves no trace of itself: the last byte is written to give the file its
   * length.
   */
  private void extendTo(long end) {
    if (end > to.size()) {
      to.write(MemorySegment.ofArray(new byte[1]), end - 1);
    }
  }

  private long nextStored(long position) {
    try {
      return extents.isPresent() ? extents.get().nextStored(position) : position;
    } catch (IOException e) {
      throw unreadable(e);
    }
  }

  private long nextHole(long position) {
    try {
      return extents.isPresent() ? extents.get().nextHole(position) : from.size();
    } catch (IOException e) {
      throw unreadable(e);
    }
  }

  @Override
  public void close() {
    extents.ifPresent(StoredExtents::close);
    try {
      out.close();
    } catch (IOException e) {
      throw to.failed(e, 0, 0);
    }
  }
}
