package dev.graft.fold;

import dev.graft.io.OutputFile;
import dev.graft.undo.Corrections;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Takes the runs of an undo record in the order in which several threads make them; the record has
 * them in the order of the tensors, so that its bytes do not depend on the threads.
 */
final class UndoSpool {

  private final OutputFile file;
  private final AtomicLong end = new AtomicLong();

  UndoSpool(OutputFile file) {
    this.file = file;
  }

  /** Appends both parts of a run, the one behind the other, and says where. */
  long append(Corrections run) {
    long offset = end.getAndAdd(run.lengthBytes());
    write(run.choices(), offset);
    write(run.exceptions(), offset + run.choices().length);
    return offset;
  }

  private void write(byte[] bytes, long at) {
    if (bytes.length > 0) {
      file.write(MemorySegment.ofArray(bytes), at);
    }
  }

  OutputFile file() {
    return file;
  }
}
