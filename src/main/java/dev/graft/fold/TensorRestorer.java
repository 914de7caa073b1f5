package dev.graft.fold;

import dev.graft.fold.UndoIndex.Kept;
import dev.graft.fold.UndoIndex.TensorEntry;
import dev.graft.io.ByteSource;
import dev.graft.tensor.FloatCodec;
import dev.graft.undo.CorrectionReader;
import dev.graft.undo.Corrections;
import dev.graft.undo.RecordReader;
import dev.graft.undo.ReplacedReader;
import dev.graft.undo.Scaled;
import dev.graft.undo.ScaledCorrectionReader;
import java.lang.foreign.MemorySegment;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Changes one tensor back, run by run; the last one stays in memory. Serves one thread. */
final class TensorRestorer implements AutoCloseable {

  private final TensorEntry entry;
  private final RecordReader record;
  private final ByteSource merged;
  private final @Nullable RowSource rows;
  private final FloatCodec codec;
  private final int rowBytes;
  private final int rowsOfRun;
  private final long[] offsets;
  private final float[] after;
  private final float[] before;
  private final Scaled scaled;
  private final MemorySegment buffer;
  private int held = -1;

  /**
   * Prepares.
   *
   * @param entry what the record says of the tensor
   * @param record the record
   * @param merged the file with the new bytes
   * @param rows what was done to the rows; null where values were replaced
   */
  TensorRestorer(
      TensorEntry entry, RecordReader record, ByteSource merged, @Nullable RowSource rows) {
    this.entry = entry;
    this.record = record;
    this.merged = merged;
    this.rows = rows;
    int length = entry.rowLength();
    this.codec = new FloatCodec(entry.dtype(), length);
    this.rowBytes = Math.toIntExact(entry.dtype().bytes(length));
    this.rowsOfRun = RowRecorder.rowsOfRun(rowBytes);
    this.offsets = offsets(entry.kept());
    this.after = new float[length];
    this.before = new float[length];
    this.scaled = new Scaled(length);
    long runBytes = Math.min(entry.place().length(), (long) rowsOfRun * rowBytes);
    this.buffer = MemorySegment.ofArray(new byte[Math.toIntExact(runBytes)]);
  }

  private static long[] offsets(Kept kept) {
    long[] offsets = new long[kept.runs().size()];
    long offset = kept.offset();
    for (int i = 0; i < offsets.length; i++) {
      offsets[i] = offset;
      offset += kept.runs().get(i);
    }
    return offsets;
  }

  /** The tensor. */
  TensorEntry entry() {
    return entry;
  }

  /** Reads old bytes. */
  void read(MemorySegment into, long position) {
    long runBytes = (long) rowsOfRun * rowBytes;
    for (long done = 0; done < into.byteSize(); ) {
      long at = position + done;
      int run = Math.toIntExact(at / runBytes);
      MemorySegment bytes = run(run);
      long from = at - run * runBytes;
      long count = Math.min(bytes.byteSize() - from, into.byteSize() - done);
      MemorySegment.copy(bytes, from, into, done, count);
      done += count;
    }
  }

  private MemorySegment run(int run) {
    long start = (long) run * rowsOfRun * rowBytes;
    MemorySegment bytes =
        buffer.asSlice(0, Math.min(buffer.byteSize(), entry.place().length() - start));
    if (held != run) {
      held = -1;
      merged.readFully(bytes, entry.place().offset() + start);
      try {
        restore(run, bytes);
      } catch (IndexOutOfBoundsException | ArithmeticException | IllegalArgumentException e) {
        // Factors or corrections of another shape than the rows: found where they are used.
        throw record.damaged("tensor '" + entry.name() + "': " + e.getMessage(), e);
      }
      held = run;
    }
    return bytes;
  }

  private void restore(int run, MemorySegment bytes) {
    List<Integer> lengths = entry.kept().runs();
    Corrections kept =
        new Corrections(
            record.run(offsets[2 * run], lengths.get(2 * run)),
            record.run(offsets[2 * run + 1], lengths.get(2 * run + 1)));
    switch (entry.kind()) {
      case ADDED -> added(run, bytes, new CorrectionReader(entry.dtype(), after.length, kept));
      case SCALED -> multiplied(run, bytes, new ScaledCorrectionReader(entry.dtype(), kept));
      case REPLACED ->
          new ReplacedReader(record, entry.dtype().bits() / Byte.SIZE)
              .restore(kept, bytes, rowBytes);
    }
  }

  private void added(int run, MemorySegment bytes, CorrectionReader corrections) {
    long row = (long) run * rowsOfRun;
    for (long at = 0; at < bytes.byteSize(); at += rowBytes) {
      int count = begin(row++, bytes, at);
      corrections.read(after, scaled.added(), before, count);
      codec.encode(before, count, bytes, at);
    }
    requireEnd(corrections.isAtEnd());
  }

  private void multiplied(int run, MemorySegment bytes, ScaledCorrectionReader corrections) {
    long row = (long) run * rowsOfRun;
    for (long at = 0; at < bytes.byteSize(); at += rowBytes) {
      int count = begin(row, bytes, at);
      rows().scale(row++, scaled.factors(), count);
      corrections.read(after, scaled, before, count);
      codec.encode(before, count, bytes, at);
    }
    requireEnd(corrections.isAtEnd());
  }

  private int begin(long row, MemorySegment bytes, long at) {
    int count = (int) (Math.min(rowBytes, bytes.byteSize() - at) * after.length / rowBytes);
    codec.decode(bytes, at, after, count);
    scaled.clear(count);
    rows().add(row, scaled.added(), count);
    return count;
  }

  private RowSource rows() {
    if (rows == null) {
      throw record.damaged("tensor '" + entry.name() + "' has nothing that was added");
    }
    return rows;
  }

  private void requireEnd(boolean isAtEnd) {
    if (!isAtEnd) {
      throw record.damaged("tensor '" + entry.name() + "' does not use all that was kept of it");
    }
  }

  @Override
  public void close() {
    if (rows != null) {
      rows.close();
    }
  }
}
