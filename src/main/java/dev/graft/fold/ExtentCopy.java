package dev.graft.fold;

import dev.graft.error.FormatException;
import dev.graft.io.ComposedFile.Extent;
import dev.graft.io.OutputFile;
import dev.graft.io.Progress;
import dev.graft.io.Sha256;
import java.lang.foreign.MemorySegment;

/**
 * Copies what is made while it is read. Of a whole tensor the hash is taken, and it must be the one
 * that the tensor had.
 */
final class ExtentCopy {

  private static final int STEP = 1 << 20;

  private final OutputFile out;
  private final Progress progress;

  ExtentCopy(OutputFile out, Progress progress) {
    this.out = out;
    this.progress = progress;
  }

  /**
   * Copies.
   *
   * @param extent what
   * @param position where to in the output
   * @throws FormatException if it is a tensor and its old bytes are not what they were
   */
  void copy(Extent extent, long position) {
    Sha256 hash = new Sha256();
    MemorySegment block = MemorySegment.ofArray(new byte[(int) Math.min(STEP, extent.length())]);
    for (long done = 0; done < extent.length(); done += STEP) {
      MemorySegment part = block.asSlice(0, Math.min(STEP, extent.length() - done));
      extent.source().readFully(part, extent.offset() + done);
      hash.update(part);
      out.write(part, position + done);
      progress.advance(part.byteSize());
    }
    if (extent.source() instanceof RestoredTensor tensor) {
      // Copies end where tensors do; half of one could not be proved.
      if (extent.length() != tensor.size()) {
        throw new IllegalStateException(tensor.path() + ": a part of '" + tensor.name() + "'");
      }
      requireRestored(tensor, hash.hex());
    }
  }

  /**
   * Refuses old bytes that are not what they were.
   *
   * @param tensor the tensor
   * @param found what its restored bytes hash to
   */
  static void requireRestored(RestoredTensor tensor, String found) {
    if (!found.equals(tensor.sha256())) {
      throw new FormatException(
          "%s: tensor '%s' was changed since it was merged: taking the adapter out of it gives the SHA-256 %s, not the base's %s; merge again from the base"
              .formatted(tensor.path(), tensor.name(), found, tensor.sha256()));
    }
  }
}
