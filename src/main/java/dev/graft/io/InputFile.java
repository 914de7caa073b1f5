package dev.graft.io;

import dev.graft.error.FormatException;
import dev.graft.error.RuntimeFailure;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.concurrent.atomic.LongAdder;

/** A regular file opened for reading at any position. Safe to share between threads. */
public final class InputFile implements OpenFile {

  /** The JDK copies heap buffers through a direct one of the same size that it keeps per thread. */
  private static final int HEAP_STEP = 1 << 20;

  private static final int NATIVE_STEP = 1 << 30;

  private final Path path;
  private final FileChannel channel;
  private final FileIdentity identity;
  private final long size;
  private final LongAdder bytesRead = new LongAdder();

  private InputFile(Path path, FileChannel channel, FileIdentity identity) throws IOException {
    this.path = path;
    this.channel = channel;
    this.identity = identity;
    this.size = channel.size();
  }

  /**
   * Opens a regular file, through links if need be.
   *
   * @throws FormatException if the file is missing, unreadable, a folder or a device
   */
  public static InputFile open(Path path) {
    try {
      requireRegular(path);
      return adopt(path, FileChannel.open(path, StandardOpenOption.READ), FileIdentity.of(path));
    } catch (NoSuchFileException e) {
      throw new FormatException(missing(path), e);
    } catch (AccessDeniedException e) {
      throw new FormatException(
          path + ": permission denied; make the file readable and try again", e);
    } catch (IOException e) {
      throw new FormatException(path + ": cannot be opened: " + Refusal.reason(e), e);
    }
  }

  /** Takes over an open channel and closes it if anything goes wrong. */
  static InputFile adopt(Path path, FileChannel channel, FileIdentity identity) throws IOException {
    try {
      return new InputFile(path, channel, identity);
    } catch (IOException | RuntimeException e) {
      channel.close();
      throw e;
    }
  }

  private static void requireRegular(Path path) throws IOException {
    // Looked at before opening: opening a pipe would wait for a writer for ever.
    BasicFileAttributes found = Files.readAttributes(path, BasicFileAttributes.class);
    if (found.isDirectory()) {
      throw new FormatException(path + ": is a directory, a file is expected");
    }
    if (!found.isRegularFile()) {
      throw new FormatException(path + ": is a device, pipe or socket, a regular file is expected");
    }
  }

  private static String missing(Path path) {
    return Files.isSymbolicLink(path)
        ? path + ": no such file: the symbolic link leads nowhere"
        : path + ": no such file";
  }

  /** Whether this is the file that a path leads to now. */
  public boolean isAt(Path other) {
    try {
      return path.equals(other) || identity.isSameFile(FileIdentity.of(other));
    } catch (IOException e) {
      return false;
    }
  }

  @Override
  public Path path() {
    return path;
  }

  /** Length in bytes when the file was opened. */
  @Override
  public long size() {
    return size;
  }

  @Override
  public long bytesRead() {
    return bytesRead.sum();
  }

  /** Which file this is, under whatever name. */
  public FileIdentity identity() {
    return identity;
  }

  @Override
  public void readFully(MemorySegment into, long position) {
    long step = into.isNative() ? NATIVE_STEP : HEAP_STEP;
    for (long done = 0; done < into.byteSize(); done += step) {
      long length = Math.min(step, into.byteSize() - done);
      readFully(into.asSlice(done, length).asByteBuffer(), position + done);
    }
  }

  /**
   * Fills what remains of a buffer with the bytes from a position on. Direct buffers save a copy.
   *
   * @throws FormatException if the file ends before the buffer is full
   */
  public void readFully(ByteBuffer into, long position) {
    int wanted = into.remaining();
    try {
      int done = 0;
      while (into.hasRemaining()) {
        int count = channel.read(into, position + done);
        if (count < 0) {
          throw endsEarly(position, wanted, done);
        }
        done += count;
      }
      bytesRead.add(wanted);
    } catch (IOException e) {
      throw new RuntimeFailure(
          path
              + ": reading "
              + wanted
              + " bytes at offset "
              + position
              + " failed: "
              + Refusal.reason(e),
          e);
    }
  }

  /**
   * Says that the file does not hold a range.
   *
   * @param position first byte of the range
   * @param wanted bytes asked for
   * @param found bytes that were there
   */
  FormatException endsEarly(long position, long wanted, long found) {
    return new FormatException(
        path
            + ": "
            + wanted
            + " bytes at offset "
            + position
            + " are needed, but only "
            + found
            + " are there (the file had "
            + size
            + " bytes when it was opened);"
            + " the file shrank or is truncated");
  }

  /** Looks whether the file still reaches to the end of a range. */
  void requireNotShrunk(long position, long wanted) throws IOException {
    long sizeNow = channel.size();
    if (sizeNow < position + wanted) {
      throw endsEarly(position, wanted, Math.max(0, sizeNow - position));
    }
  }

  /**
   * Hands up to {@code count} bytes to another channel at that channel's own position, within the
   * kernel.
   */
  long transferTo(FileChannel out, long position, long count) throws IOException {
    long moved = channel.transferTo(position, count, out);
    bytesRead.add(moved);
    return moved;
  }

  @Override
  public void close() {
    try {
      channel.close();
    } catch (IOException e) {
      throw new UncheckedIOException(path + ": closing failed", e);
    }
  }
}
