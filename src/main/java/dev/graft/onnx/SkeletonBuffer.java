package dev.graft.onnx;

import com.google.protobuf.DiscardUnknownFieldsParser;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.Parser;
import dev.graft.onnx.proto.ModelProto;
import java.util.Arrays;

/** The bytes of a model without its large payloads, as they come together during a scan. */
final class SkeletonBuffer {

  /** Length prefixes are written at full width, so that they can be filled in afterwards. */
  private static final int PREFIX_BYTES = 5;

  /**
   * What the schema does not know is kept in the file, not in memory, where a few bytes of it could
   * become a hundred times as many.
   */
  private static final Parser<ModelProto> PARSER =
      DiscardUnknownFieldsParser.wrap(ModelProto.parser());

  private final ScanBudget budget;
  private byte[] bytes = new byte[0];
  private int size;

  SkeletonBuffer(ScanBudget budget) {
    this.budget = budget;
  }

  /** Appends bytes {@code from} to {@code to} of the file. */
  void copy(WireCursor cursor, long from, long to) {
    budget.spendBytes(to - from);
    int length = Math.toIntExact(to - from);
    ensure(length);
    cursor.copy(from, bytes, size, length);
    size += length;
  }

  /** Leaves room for a length prefix and returns its place. */
  int reserve() {
    ensure(PREFIX_BYTES);
    size += PREFIX_BYTES;
    return size - PREFIX_BYTES;
  }

  /** Fills in the length of the message that began after this prefix and ends here. */
  void close(int prefix) {
    int length = size - prefix - PREFIX_BYTES;
    for (int i = 0; i < PREFIX_BYTES; i++) {
      int more = i < PREFIX_BYTES - 1 ? 0x80 : 0;
      bytes[prefix + i] = (byte) (((length >>> (7 * i)) & 0x7f) | more);
    }
  }

  ModelProto parse() throws InvalidProtocolBufferException {
    return PARSER.parseFrom(bytes, 0, size);
  }

  private void ensure(int more) {
    if (bytes.length - size < more) {
      bytes = Arrays.copyOf(bytes, Math.toIntExact(Math.max((long) size + more, size * 3L / 2)));
    }
  }
}
