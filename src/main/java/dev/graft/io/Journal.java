package dev.graft.io;

import dev.graft.error.FormatException;
import dev.graft.error.RuntimeFailure;
import dev.graft.io.JournalIndex.Changed;
import dev.graft.io.JournalIndex.Range;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.zip.CRC32C;

/**
 * All new bytes of an update in place, in one file beside the model. From the moment when it has
 * its name the update counts as made: whoever opens the model next carries it out, as often as it
 * takes. Before that moment the model is as it was.
 *
 * <p>The file: magic, version and length of the index (int each), CRC-32C of all that follows
 * (long), the {@link JournalIndex}, the new bytes one run after another.
 */
public final class Journal {

  /** Length of what stands before the index. */
  public static final int HEADER_BYTES = 24;

  private static final byte[] MAGIC = "GRAFTJNL".getBytes(StandardCharsets.US_ASCII);
  private static final int VERSION = 1;
  private static final int BLOCK = 1 << 20;

  private final Path path;
  private final InputFile file;
  private final JournalIndex index;
  private final long payload;

  private Journal(Path path, InputFile file) {
    this.path = path;
    this.file = file;
    ByteBuffer header = ByteBuffer.allocate(HEADER_BYTES);
    if (file.size() < HEADER_BYTES) {
      throw damaged("it has only " + file.size() + " bytes");
    }
    file.readFully(MemorySegment.ofArray(header.array()), 0);
    byte[] magic = new byte[MAGIC.length];
    header.get(magic);
    int version = header.getInt();
    if (!Arrays.equals(magic, MAGIC) || version != VERSION) {
      throw damaged("it is no journal of version " + VERSION);
    }
    int indexBytes = header.getInt();
    if (indexBytes < 0 || indexBytes > file.size() - HEADER_BYTES) {
      throw damaged("its index would have " + indexBytes + " bytes");
    }
    this.payload = HEADER_BYTES + (long) indexBytes;
    if (crc(file) != header.getLong()) {
      throw damaged("its checksum does not hold");
    }
    byte[] bytes = new byte[indexBytes];
    file.readFully(MemorySegment.ofArray(bytes), HEADER_BYTES);
    try {
      this.index = JournalIndex.read(ByteBuffer.wrap(bytes));
    } catch (IllegalArgumentException e) {
      throw damaged(String.valueOf(e.getMessage()));
    }
    if (index.payloadBytes() != file.size() - payload) {
      throw damaged("its index speaks of " + index.payloadBytes() + " new bytes");
    }
  }

  private FormatException damaged(String how) {
    return new FormatException(
        path
            + ": the journal of an update in place is damaged: "
            + how
            + "; the model may be half changed: write it anew from the base");
  }

  /** Where the journal of a model lies. */
  public static Path pathFor(Path model) {
    return model.resolveSibling(model.getFileName() + ".journal");
  }

  /**
   * Holds as much room as files will grow by, given up just before they do, so that a full disk is
   * noticed while the model is as it was.
   */
  public static Path roomFor(Path model) {
    return model.resolveSibling(model.getFileName() + ".journal.room");
  }

  /**
   * Carries out what another process was stopped in, if there is anything.
   *
   * @param model path of the model file
   * @return whether there was
   * @throws RuntimeFailure if a process is at it right now, or the disk fails
   * @throws FormatException if the journal is damaged
   */
  public static boolean settle(Path model) {
    Path file = behindLinks(model.toAbsolutePath());
    if (file.getFileName() == null || !Files.exists(pathFor(file), LinkOption.NOFOLLOW_LINKS)) {
      return false;
    }
    WriterLock.acquire(file).close();
    return true;
  }

  private static Path behindLinks(Path model) {
    try {
      return Files.isSymbolicLink(model) ? model.toRealPath() : model;
    } catch (IOException e) {
      return model; // it leads nowhere, which whoever opens it will say
    }
  }

  /** Writes the header of a journal that is otherwise complete, which makes it valid. */
  public static void seal(OutputFile journal, int indexBytes) {
    ByteBuffer header = ByteBuffer.allocate(HEADER_BYTES);
    header.put(MAGIC).putInt(VERSION).putInt(indexBytes).putLong(crc(journal)).flip();
    journal.write(header, 0);
  }

  private static long crc(ByteSource file) {
    CRC32C crc = new CRC32C();
    byte[] block = new byte[BLOCK];
    for (long at = HEADER_BYTES; at < file.size(); at += block.length) {
      int length = (int) Math.min(block.length, file.size() - at);
      file.readFully(MemorySegment.ofArray(block).asSlice(0, length), at);
      crc.update(block, 0, length);
    }
    return crc.getValue();
  }

  /**
   * Carries a journal out and removes it; the caller has the lock. A second time changes nothing
   * more.
   *
   * @param model path of the model file
   */
  public static void replay(Path model) {
    Path path = pathFor(model);
    if (!Files.exists(path, LinkOption.NOFOLLOW_LINKS)) {
      return;
    }
    try (InputFile file = InputFile.open(path)) {
      new Journal(path, file).carryOut(roomFor(model));
      Files.delete(path);
      AtomicOutput.forceFolder(path.resolveSibling(""));
    } catch (IOException e) {
      throw new RuntimeFailure(
          "%s: the update in place could not be finished: %s; nothing is lost: make room or mend the disk, then run 'graft recover -m %s'"
              .formatted(model, Refusal.reason(e), model),
          e);
    }
  }

  private void carryOut(Path room) throws IOException {
    Files.deleteIfExists(room);
    long at = payload;
    for (Changed changed : index.files()) {
      at = change(changed, at);
    }
    for (Changed changed : index.files()) {
      Path old = path.resolveSibling(changed.name());
      if (!changed.name().equals(changed.newName())
          && Files.exists(old, LinkOption.NOFOLLOW_LINKS)) {
        Files.move(
            old,
            path.resolveSibling(changed.newName()),
            StandardCopyOption.ATOMIC_MOVE,
            StandardCopyOption.REPLACE_EXISTING);
      }
    }
    for (String name : index.removed()) {
      Files.deleteIfExists(path.resolveSibling(name));
    }
    AtomicOutput.forceFolder(path.resolveSibling(""));
  }

  /** Changes one file; returns where the next one's bytes begin. */
  private long change(Changed changed, long from) throws IOException {
    Path named = path.resolveSibling(changed.name());
    Path target =
        Files.exists(named, LinkOption.NOFOLLOW_LINKS)
            ? named
            : path.resolveSibling(changed.newName());
    if (!Files.isRegularFile(target, LinkOption.NOFOLLOW_LINKS)) {
      throw damaged(target + " is missing or no plain file");
    }
    long at = from;
    byte[] block = new byte[BLOCK];
    try (FileChannel out = FileChannel.open(target, StandardOpenOption.WRITE)) {
      for (Range range : changed.ranges()) {
        for (long done = 0; done < range.length(); done += block.length) {
          int length = (int) Math.min(block.length, range.length() - done);
          file.readFully(MemorySegment.ofArray(block).asSlice(0, length), at + done);
          write(out, ByteBuffer.wrap(block, 0, length), range.position() + done);
        }
        at += range.length();
      }
      out.truncate(changed.length());
      out.force(true);
    }
    return at;
  }

  private static void write(FileChannel out, ByteBuffer bytes, long position) throws IOException {
    long at = position;
    while (bytes.hasRemaining()) {
      at += out.write(bytes, at);
    }
  }
}
