package dev.graft.undo;

import dev.graft.error.FormatException;
import dev.graft.error.UnsupportedException;
import dev.graft.io.ByteSource;
import dev.graft.io.InputFile;
import dev.graft.io.Progress;
import dev.graft.io.Sha256;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.HexFormat;
import java.util.zip.DataFormatException;
import java.util.zip.Inflater;

/** An undo record that is whole: its own SHA-256 was checked when it was opened. */
public final class RecordReader implements AutoCloseable {

  /** More than the index of any model that fits on a disk. */
  private static final long MAX_INDEX = 256L << 20;

  /**
   * Bytes of an index for one of its deflated form. An index that says the same over and over, as
   * that of an adapter of zeros does, is small; a larger one is dense.
   */
  private static final long MAX_RATIO = 50;

  /** Up to here an index may be as thin as it likes. */
  private static final long SMALL_INDEX = 4L << 20;

  private final InputFile file;
  private final byte[] index;

  private RecordReader(InputFile file) {
    this.file = file;
    this.index = read();
  }

  /**
   * Opens a record.
   *
   * @throws FormatException if the file is missing, no record, cut short or damaged
   * @throws UnsupportedException if a newer version of the program wrote it
   */
  public static RecordReader open(Path path) {
    InputFile file = InputFile.open(path);
    try {
      return new RecordReader(file);
    } catch (RuntimeException e) {
      file.close();
      throw e;
    }
  }

  /** Whether a file begins like a record, of whatever version. */
  public static boolean isRecord(ByteSource file) {
    return file.size() >= RecordWriter.HEADER_BYTES
        && RecordWriter.MAGIC.equals(
            new String(bytes(file, 0, RecordWriter.MAGIC.length()), StandardCharsets.US_ASCII));
  }

  /** The record's bytes. */
  public InputFile file() {
    return file;
  }

  /** The index as it was given to {@link RecordWriter#finish}. */
  public byte[] index() {
    return index.clone();
  }

  /**
   * A run.
   *
   * @throws FormatException if it does not lie in the record
   */
  public byte[] run(long offset, long length) {
    if (offset < 0
        || length < 0
        || length > Integer.MAX_VALUE - 8
        || offset > file.size() - length) {
      throw damaged("its index names " + length + " bytes at " + offset + ", which are not there");
    }
    return bytes(file, offset, (int) length);
  }

  /** The error for a record that does not fit together. */
  public FormatException damaged(String how) {
    return new FormatException(message(how));
  }

  /** The same, told by an exception of what came after. */
  public FormatException damaged(String how, RuntimeException cause) {
    return new FormatException(message(how), cause);
  }

  private String message(String how) {
    return file.path() + ": the undo record is damaged: " + how + "; merge again from the base";
  }

  private byte[] read() {
    if (!isRecord(file)) {
      throw new FormatException(
          file.path() + ": is not an undo record; the file that merge wrote beside the model is");
    }
    int version = little(bytes(file, RecordWriter.MAGIC.length(), Integer.BYTES)).getInt();
    if (version == 0) {
      throw damaged("it states no version");
    }
    if (Integer.compareUnsigned(version, RecordWriter.VERSION) > 0) {
      throw new UnsupportedException(
          "%s: the undo record has version %s, this program knows up to %d; use the version of Graft that merged"
              .formatted(file.path(), Integer.toUnsignedString(version), RecordWriter.VERSION));
    }
    long end = file.size() - RecordWriter.FOOTER_BYTES;
    if (end < RecordWriter.HEADER_BYTES) {
      throw damaged("it has " + file.size() + " bytes, which is too short");
    }
    ByteBuffer footer = little(bytes(file, end, RecordWriter.FOOTER_BYTES));
    long offset = footer.getLong();
    long stored = footer.getLong();
    long length = footer.getLong();
    byte[] expected = new byte[32];
    footer.get(expected);
    String found = Sha256.of(file, 0, end + 3 * Long.BYTES, Progress.NONE);
    if (!found.equals(HexFormat.of().formatHex(expected))) {
      throw damaged("its bytes have the SHA-256 " + found + ", not the one that it states");
    }
    if (offset < RecordWriter.HEADER_BYTES || stored < 0 || offset + stored != end) {
      throw damaged("its index is said to lie at " + offset);
    }
    return inflated(run(offset, stored), length);
  }

  private byte[] inflated(byte[] stored, long length) {
    if (length < 0
        || length > MAX_INDEX
        || length > Math.max(SMALL_INDEX, stored.length * MAX_RATIO)) {
      throw damaged("its index is said to have " + length + " bytes");
    }
    return inflate(stored, (int) length);
  }

  /**
   * Inflates a run to exactly so many bytes.
   *
   * @throws FormatException if it does not give as many
   */
  public byte[] inflate(byte[] stored, int length) {
    byte[] bytes = new byte[length];
    try (Inflater inflater = new Inflater()) {
      inflater.setInput(stored);
      int done = 0;
      while (done < length) {
        int count = inflater.inflate(bytes, done, length - done);
        if (count == 0) {
          throw damaged("a run ends after " + done + " of " + length + " bytes");
        }
        done += count;
      }
      return bytes;
    } catch (DataFormatException e) {
      throw damaged("a run is not deflated: " + e.getMessage());
    }
  }

  private static ByteBuffer little(byte[] bytes) {
    return ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
  }

  private static byte[] bytes(ByteSource from, long offset, int length) {
    byte[] bytes = new byte[length];
    from.readFully(MemorySegment.ofArray(bytes), offset);
    return bytes;
  }

  @Override
  public void close() {
    file.close();
  }
}
