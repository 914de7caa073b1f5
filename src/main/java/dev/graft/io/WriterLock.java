package dev.graft.io;

import dev.graft.error.RuntimeFailure;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.concurrent.ThreadLocalRandom;

/**
 * The right to change a model in place, for one process at a time. The operating system takes it
 * back when the process ends, however it ends; a file that is then left behind holds nobody up.
 */
public final class WriterLock implements AutoCloseable {

  private static final int TOKEN_BYTES = Long.BYTES;

  private final Path path;
  private final FileChannel channel;

  private WriterLock(Path path, FileChannel channel) {
    this.path = path;
    this.channel = channel;
  }

  /** Where the lock of a model lies. */
  static Path pathFor(Path model) {
    return model.resolveSibling("." + model.getFileName() + ".lock");
  }

  /**
   * Takes the lock, and finishes what another process was stopped in.
   *
   * @param model path of the model file
   * @throws RuntimeFailure if another process has it, or the folder cannot be written to
   */
  public static WriterLock acquire(Path model) {
    Path absolute = model.toAbsolutePath();
    WriterLock lock = take(absolute);
    try {
      Journal.replay(absolute);
      return lock;
    } catch (RuntimeException e) {
      lock.close();
      throw e;
    }
  }

  private static WriterLock take(Path model) {
    Path path = pathFor(model);
    try {
      while (true) {
        FileChannel channel =
            FileChannel.open(
                path, StandardOpenOption.CREATE, StandardOpenOption.READ, StandardOpenOption.WRITE);
        if (!isLocked(channel)) {
          channel.close();
          throw new RuntimeFailure(
              model + ": another process is changing it in place; run again when that has ended");
        }
        if (isStillAt(path, channel)) {
          return new WriterLock(path, channel);
        }
        channel.close();
      }
    } catch (IOException e) {
      throw new RuntimeFailure(path + ": the lock cannot be taken: " + Refusal.reason(e), e);
    }
  }

  /** Whether the lock could be taken. */
  private static boolean isLocked(FileChannel channel) throws IOException {
    try {
      return channel.tryLock() != null;
    } catch (OverlappingFileLockException e) {
      return false; // another thread of this process has it
    }
  }

  /** Whoever had the lock before may have deleted the file after it was opened here. */
  private static boolean isStillAt(Path path, FileChannel channel) throws IOException {
    byte[] token = new byte[TOKEN_BYTES];
    ThreadLocalRandom.current().nextBytes(token);
    channel.write(ByteBuffer.wrap(token), 0);
    try {
      return Arrays.equals(Files.readAllBytes(path), token);
    } catch (NoSuchFileException e) {
      return false;
    }
  }

  /** Gives it back. */
  @Override
  public void close() {
    try (channel) {
      Files.deleteIfExists(path);
    } catch (IOException e) {
      // Nobody is held up by the file; only the lock on it counts, and that ends here.
    }
  }
}
