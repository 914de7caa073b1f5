package dev.graft.undo;

import dev.graft.io.ByteSource;
import dev.graft.io.OutputFile;
import dev.graft.io.Sha256;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;

/**
 * Writes an undo record: a header, runs of bytes one behind the other, then the index that says
 * what they are, deflated, and a footer.
 *
 * <pre>
 * header  16 bytes  {@value #MAGIC} (8 bytes), version (uint32), 0 (uint32)
 * runs
 * index
 * footer  56 bytes  offset and stored length of the index, its own length (3 x uint64),
 *                   SHA-256 of everything before it (32 bytes)
 * </pre>
 *
 * All numbers are little-endian.
 */
public final class RecordWriter {

  static final String MAGIC = "GRAFTUND";
  static final int VERSION = 1;
  static final int HEADER_BYTES = 16;
  static final int FOOTER_BYTES = 3 * Long.BYTES + 32;
  private static final int STEP = 1 << 18;

  private final OutputFile out;
  private final Sha256 hash = new Sha256();
  private long position;

  /** Begins a record. */
  public RecordWriter(OutputFile out) {
    this.out = out;
    ByteBuffer header = ByteBuffer.allocate(HEADER_BYTES).order(ByteOrder.LITTLE_ENDIAN);
    header.put(MAGIC.getBytes(StandardCharsets.US_ASCII)).putInt(VERSION);
    append(header.array());
  }

  /** Where the next run will begin, in bytes from the start of the file. */
  public long position() {
    return position;
  }

  /** Appends a run. */
  public void append(byte[] run) {
    append(MemorySegment.ofArray(run));
  }

  /** Appends a range of another file. */
  public void append(ByteSource from, long offset, long length) {
    MemorySegment block = MemorySegment.ofArray(new byte[(int) Math.min(STEP, length)]);
    for (long done = 0; done < length; done += STEP) {
      MemorySegment part = block.asSlice(0, Math.min(STEP, length - done));
      from.readFully(part, offset + done);
      append(part);
    }
  }

  private void append(MemorySegment run) {
    out.write(run, position);
    hash.update(run);
    position += run.byteSize();
  }

  /** Appends the index and the footer; nothing may come after. */
  public void finish(byte[] index) {
    byte[] stored = RunDeflater.deflated(index, index.length);
    ByteBuffer footer = ByteBuffer.allocate(FOOTER_BYTES).order(ByteOrder.LITTLE_ENDIAN);
    footer.putLong(position).putLong(stored.length).putLong(index.length);
    append(stored);
    append(MemorySegment.ofArray(footer.array()).asSlice(0, 3 * Long.BYTES));
    out.write(MemorySegment.ofArray(HexFormat.of().parseHex(hash.hex())), position);
  }
}
