package dev.graft.io;

import dev.graft.error.RuntimeFailure;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.HexFormat;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.LongAdder;

/**
 * A file that is being written under a temporary name in its final folder. It gets its name when
 * the {@link AtomicOutput} that it belongs to is committed. Several threads may write at once, and
 * what has been written can be read back.
 */
public final class OutputFile implements ByteSource {

  private static final int HEAP_STEP = 1 << 20;
  private static final int NATIVE_STEP = 1 << 30;

  /** Leaves room in the 255 bytes of a file name whatever script it is written in. */
  private static final int LONGEST_STEM = 40;

  private final Path path;
  private final Path temporary;
  private final FileChannel channel;
  private final WriteBack writeBack;
  private final LongAdder bytesWritten = new LongAdder();
  private boolean published;

  private OutputFile(Path path, Path temporary, FileChannel channel) {
    this.path = path;
    this.temporary = temporary;
    this.channel = channel;
    this.writeBack = new WriteBack(channel);
  }

  /** Creates the temporary file; the folder must exist. */
  static OutputFile create(Path path) {
    Path temporary = path.resolveSibling(temporaryName(path));
    Unfinished.add(temporary);
    try {
      return new OutputFile(
          path,
          temporary,
          FileChannel.open(
              temporary,
              StandardOpenOption.CREATE_NEW,
              StandardOpenOption.READ,
              StandardOpenOption.WRITE));
    } catch (IOException e) {
      Unfinished.forget(temporary);
      throw new RuntimeFailure(
          path
              + ": cannot be written: "
              + Refusal.reason(e)
              + "; choose a folder on a disk where you may create files",
          e);
    }
  }

  private static String temporaryName(Path path) {
    String name = String.valueOf(path.getFileName());
    String stem = name.substring(0, Math.min(name.length(), LONGEST_STEM));
    return "."
        + stem
        + "."
        + HexFormat.of().toHexDigits(ThreadLocalRandom.current().nextLong())
        + ".part";
  }

  /** The name that the file will get. */
  @Override
  public Path path() {
    return path;
  }

  /** Bytes from the start to the end of the last write so far. */
  @Override
  public long size() {
    try {
      return channel.size();
    } catch (IOException e) {
      throw new RuntimeFailure(path + ": the size cannot be read: " + Refusal.reason(e), e);
    }
  }

  /** How many bytes have been written so far; what was skipped as a hole is not counted. */
  public long bytesWritten() {
    return bytesWritten.sum();
  }

  /**
   * Writes a whole segment, heap ({@code byte[]}) or native.
   *
   * @param from the bytes
   * @param position where they go, bytes from the start; a gap that is never written reads as zeros
   * @throws RuntimeFailure if the disk is full or fails
   */
  public void write(MemorySegment from, long position) {
    long step = from.isNative() ? NATIVE_STEP : HEAP_STEP;
    for (long done = 0; done < from.byteSize(); done += step) {
      long length = Math.min(step, from.byteSize() - done);
      write(from.asSlice(done, length).asByteBuffer(), position + done);
    }
  }

  /** Writes what remains of a buffer; see {@link #write(MemorySegment, long)}. */
  public void write(ByteBuffer from, long position) {
    int length = from.remaining();
    try {
      long at = position;
      while (from.hasRemaining()) {
        at += channel.write(from, at);
      }
    } catch (IOException e) {
      throw failed(e, position, length);
    }
    wrote(length);
  }

  @Override
  public void readFully(MemorySegment into, long position) {
    long step = into.isNative() ? NATIVE_STEP : HEAP_STEP;
    try {
      for (long done = 0; done < into.byteSize(); done += step) {
        ByteBuffer part = into.asSlice(done, Math.min(step, into.byteSize() - done)).asByteBuffer();
        while (part.hasRemaining()) {
          if (channel.read(part, position + done + part.position()) < 0) {
            throw new IllegalArgumentException(
                path
                    + ": "
                    + into.byteSize()
                    + " bytes at offset "
                    + position
                    + " have not been written yet");
          }
        }
      }
    } catch (IOException e) {
      throw new RuntimeFailure(path + ": reading back failed: " + Refusal.reason(e), e);
    }
  }

  /** A second channel to the temporary file, for a copy that keeps a position of its own. */
  FileChannel openForCopy() throws IOException {
    return FileChannel.open(temporary, StandardOpenOption.WRITE);
  }

  /** Takes note of bytes that were written through another channel. */
  void wrote(long bytes) {
    bytesWritten.add(bytes);
    writeBack.wrote(bytes);
  }

  /** The error for a write of so many bytes that was refused. */
  RuntimeFailure failed(IOException refused, long position, long length) {
    String need = length + " bytes were needed at offset " + position;
    if (Refusal.isNoSpace(refused) || freeBytes() < length) {
      return new RuntimeFailure(
          "no space left on the device while writing "
              + path
              + ": "
              + need
              + ", "
              + freeBytes()
              + " bytes are free ("
              + Refusal.reason(refused)
              + "); make room or choose another folder; nothing was changed",
          refused);
    }
    return new RuntimeFailure(
        path
            + ": writing failed: "
            + need
            + ": "
            + Refusal.reason(refused)
            + "; nothing was changed",
        refused);
  }

  private long freeBytes() {
    try {
      return Files.getFileStore(temporary).getUsableSpace();
    } catch (IOException e) {
      return Long.MAX_VALUE;
    }
  }

  /** Brings every byte to the disk and closes the temporary file. */
  void finish() {
    try {
      writeBack.finish();
      channel.close();
    } catch (IOException e) {
      throw failed(e, 0, 0);
    }
  }

  /** Gives the file its name, which nobody may have taken. */
  void publishFresh() {
    try {
      if (Files.exists(path, LinkOption.NOFOLLOW_LINKS)) {
        throw new FileAlreadyExistsException(path.toString());
      }
      Unfinished.add(path);
      published = true;
      rename();
    } catch (FileAlreadyExistsException e) {
      throw new RuntimeFailure(path + ": a file of that name appeared meanwhile; run again", e);
    }
  }

  /** Gives the file its name in place of whatever had it, in one step. */
  void publish() {
    rename();
  }

  private void rename() {
    try {
      Files.move(
          temporary, path, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    } catch (IOException e) {
      throw new RuntimeFailure(
          path + ": the finished file could not be put in place: " + Refusal.reason(e), e);
    }
  }

  /** Gives a published file another name, in place of whatever had it. */
  void moveTo(Path place) {
    try {
      Files.move(path, place, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    } catch (IOException e) {
      throw new RuntimeFailure(
          path + ": is complete but could not be renamed to " + place + ": " + Refusal.reason(e),
          e);
    }
  }

  /** The output is committed: the file stays. */
  void keep() {
    Unfinished.forget(temporary);
    if (published) {
      Unfinished.forget(path);
    }
  }

  /** Removes the file under whichever name it has by now. */
  void discard() {
    try {
      channel.close();
    } catch (IOException e) {
      // It is deleted next; whatever could not be written does not matter.
    }
    Unfinished.remove(temporary);
    if (published) {
      Unfinished.remove(path);
    }
  }
}
