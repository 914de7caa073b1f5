package dev.graft.fold;

import dev.graft.io.ByteSource;
import dev.graft.io.OutputFile;
import dev.graft.undo.RunDeflater;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;

/** Bytes of the base that nothing else has, deflated in steps that can be read by themselves. */
final class UndoLiterals {

  private final OutputFile spool;
  private final byte[] step = new byte[UndoIndex.Literals.STEP];
  private final List<Integer> stored = new ArrayList<>();
  private int filled;
  private long end;
  private long length;

  UndoLiterals(OutputFile spool) {
    this.spool = spool;
  }

  /** Takes a range of a file. */
  void add(ByteSource from, long offset, long count) {
    for (long done = 0; done < count; ) {
      int part = (int) Math.min(count - done, step.length - filled);
      from.readFully(MemorySegment.ofArray(step).asSlice(filled, part), offset + done);
      filled += part;
      done += part;
      if (filled == step.length) {
        endStep();
      }
    }
    length += count;
  }

  private void endStep() {
    byte[] deflated = RunDeflater.deflated(step, filled);
    spool.write(MemorySegment.ofArray(deflated), end);
    stored.add(deflated.length);
    end += deflated.length;
    filled = 0;
  }

  /** Ends the last step. */
  UndoIndex.Literals finish(long offset) {
    if (filled > 0) {
      endStep();
    }
    return new UndoIndex.Literals(offset, length, List.copyOf(stored));
  }

  /** Where the steps were written, one behind the other. */
  OutputFile spool() {
    return spool;
  }

  /** Bytes in the spool. */
  long storedBytes() {
    return end;
  }
}
