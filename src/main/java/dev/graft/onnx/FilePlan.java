package dev.graft.onnx;

import java.util.List;

/**
 * What an output file consists of.
 *
 * @param pieces its bytes in order
 */
public record FilePlan(List<Piece> pieces) {

  /** Keeps an own copy. */
  public FilePlan {
    pieces = List.copyOf(pieces);
  }

  /** The length of the file. */
  public long lengthBytes() {
    return pieces.stream().mapToLong(Piece::lengthBytes).sum();
  }
}
