package dev.graft.onnx;

import com.google.protobuf.ByteString;
import java.nio.file.Path;

/** A run of bytes of an output file; a file is its pieces one after another. */
public sealed interface Piece {

  /** The number of bytes. */
  long lengthBytes();

  /** A tensor's values: known ones as they are, others to be made while the file is written. */
  static Piece of(TensorContent content) {
    return content instanceof LiteralContent(ByteString bytes)
        ? new Literal(bytes)
        : new Produced(content);
  }

  /** Bytes of an input file, unchanged. */
  record Copied(Path from, long offset, long lengthBytes) implements Piece {}

  /** Bytes made while planning. */
  record Literal(ByteString bytes) implements Piece {
    static Literal of(byte[] bytes) {
      return new Literal(ByteString.copyFrom(bytes));
    }

    @Override
    public long lengthBytes() {
      return bytes.size();
    }
  }

  /**
   * A metadata value that is known only when all tensors are written; its length is fixed before.
   */
  record Deferred(long lengthBytes) implements Piece {}

  /** A tensor's new values. */
  record Produced(TensorContent content) implements Piece {
    @Override
    public long lengthBytes() {
      return content.lengthBytes();
    }
  }
}
