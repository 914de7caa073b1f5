package dev.graft.fold;

import dev.graft.onnx.FilePlan;
import dev.graft.onnx.Piece;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** A planned file that parts of another one are copied from before it is there. */
final class PlanSlices {

  private final FilePlan planned;

  PlanSlices(FilePlan planned) {
    this.planned = planned;
  }

  /**
   * Another plan, with what it copies from the planned file put in the place of the copies.
   *
   * @param plan the other plan
   * @param file what it calls the planned file
   */
  FilePlan resolve(FilePlan plan, Path file) {
    List<Piece> pieces = new ArrayList<>();
    for (Piece piece : plan.pieces()) {
      if (piece instanceof Piece.Copied copied && copied.from().equals(file)) {
        addSlices(copied.offset(), copied.offset() + copied.lengthBytes(), pieces);
      } else {
        pieces.add(piece);
      }
    }
    return new FilePlan(pieces);
  }

  private void addSlices(long from, long to, List<Piece> pieces) {
    long start = 0;
    for (Piece piece : planned.pieces()) {
      long end = start + piece.lengthBytes();
      long first = Math.max(from, start);
      long last = Math.min(to, end);
      if (first < last) {
        pieces.add(slice(piece, first - start, last - start));
      }
      start = end;
    }
  }

  private static Piece slice(Piece piece, long from, long to) {
    if (from == 0 && to == piece.lengthBytes()) {
      return piece;
    }
    return switch (piece) {
      case Piece.Copied copied ->
          new Piece.Copied(copied.from(), copied.offset() + from, to - from);
      case Piece.Literal literal ->
          new Piece.Literal(literal.bytes().substring((int) from, (int) to));
      case Piece.Produced _, Piece.Deferred _ ->
          throw new IllegalStateException("a tensor or a record is taken apart");
    };
  }
}
