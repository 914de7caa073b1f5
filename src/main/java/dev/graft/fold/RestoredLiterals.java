package dev.graft.fold;

import dev.graft.fold.UndoIndex.Literals;
import dev.graft.io.ByteSource;
import dev.graft.undo.RecordReader;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;

/** The base's bytes that a record holds as they were. */
final class RestoredLiterals implements ByteSource {

  private final RecordReader record;
  private final Literals literals;
  private final long[] offsets;
  private byte[] step = new byte[0];
  private int held = -1;

  RestoredLiterals(RecordReader record, Literals literals) {
    this.record = record;
    this.literals = literals;
    this.offsets = new long[literals.stored().size()];
    long offset = literals.offset();
    for (int i = 0; i < offsets.length; i++) {
      offsets[i] = offset;
      offset += literals.stored().get(i);
    }
  }

  @Override
  public Path path() {
    return record.file().path();
  }

  @Override
  public long size() {
    return literals.length();
  }

  @Override
  public synchronized void readFully(MemorySegment into, long position) {
    for (long done = 0; done < into.byteSize(); ) {
      long at = position + done;
      byte[] bytes = step((int) (at / Literals.STEP));
      int from = (int) (at % Literals.STEP);
      long count = Math.min(bytes.length - from, into.byteSize() - done);
      MemorySegment.copy(MemorySegment.ofArray(bytes), from, into, done, count);
      done += count;
    }
  }

  private byte[] step(int number) {
    if (held != number) {
      int length = (int) Math.min(Literals.STEP, literals.length() - (long) number * Literals.STEP);
      step = record.inflate(record.run(offsets[number], literals.stored().get(number)), length);
      held = number;
    }
    return step;
  }
}
