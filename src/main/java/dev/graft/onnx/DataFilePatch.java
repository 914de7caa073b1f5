package dev.graft.onnx;

import dev.graft.tensor.TensorSource;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/** A data file as a clone of another one in which tensors have new values, and more at its end. */
final class DataFilePatch {

  /** As ONNX recommends, so that readers can map a tensor by itself. */
  private static final int ALIGNMENT = 4096;

  /** New bytes for a range. */
  private record Change(long offset, long end, TensorContent content) {}

  private final Path file;
  private final long length;
  private final List<Change> changes = new ArrayList<>();
  private final List<Piece> appended = new ArrayList<>();
  private long end;

  DataFilePatch(Path file, long length) {
    this.file = file;
    this.length = length;
    this.end = length;
  }

  /** Gives a range new bytes, as many as it has. */
  void replace(TensorSource range, TensorContent content) {
    changes.add(new Change(range.offset(), range.end(), content));
  }

  /** Puts a new tensor behind everything else and returns its offset. */
  long append(TensorContent content) {
    long offset = Math.ceilDiv(end, ALIGNMENT) * ALIGNMENT;
    if (offset > end) {
      appended.add(Piece.Literal.of(new byte[(int) (offset - end)]));
    }
    appended.add(Piece.of(content));
    end = offset + content.lengthBytes();
    return offset;
  }

  FilePlan plan() {
    changes.sort(Comparator.comparingLong(Change::offset));
    List<Piece> pieces = new ArrayList<>();
    long copied = 0;
    for (Change change : changes) {
      if (change.offset() < copied) {
        throw new IllegalStateException(file + ": two changes overlap at byte " + change.offset());
      }
      if (change.offset() > copied) {
        pieces.add(new Piece.Copied(file, copied, change.offset() - copied));
      }
      pieces.add(Piece.of(change.content()));
      copied = change.end();
    }
    if (length > copied) {
      pieces.add(new Piece.Copied(file, copied, length - copied));
    }
    pieces.addAll(appended);
    return new FilePlan(pieces);
  }
}
