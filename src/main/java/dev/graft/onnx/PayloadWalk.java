package dev.graft.onnx;

import dev.graft.onnx.TensorPayload.Encoding;
import java.util.ArrayList;
import java.util.List;

/** One pass over a TensorProto that finds its values, in whatever fields and pieces they stand. */
final class PayloadWalk {

  private static final int FLOAT_DATA = 4;
  private static final int RAW_DATA = 9;

  private final WireCursor cursor;
  private final MessageSpan span;
  private final ScanBudget budget;
  private final List<FieldRange> ranges = new ArrayList<>(1);
  private TensorPayload payload = TensorPayload.none();
  private long valueBytes;

  private PayloadWalk(WireCursor cursor, MessageSpan span, ScanBudget budget) {
    this.cursor = cursor;
    this.span = span;
    this.budget = budget;
  }

  /** Walks over the tensor in {@code span} and leaves the cursor behind it. */
  static PayloadWalk of(WireCursor cursor, MessageSpan span, ScanBudget budget) {
    PayloadWalk walk = new PayloadWalk(cursor, span, budget);
    walk.walk();
    return walk;
  }

  /** Where the values lie. */
  TensorPayload payload() {
    return payload;
  }

  /** Bytes of the values alone. */
  long valueBytes() {
    return valueBytes;
  }

  /** The fields that hold the values, tags included, in file order; neighbours are one range. */
  List<FieldRange> ranges() {
    return ranges;
  }

  private void walk() {
    cursor.seek(span.bodyStart());
    while (cursor.position() < span.bodyEnd()) {
      long start = cursor.position();
      int tag = cursor.tag(span.bodyEnd());
      if (isPayload(tag >>> 3, tag & 7)) {
        value(tag);
        add(start, cursor.position());
      } else {
        budget.spendField();
        cursor.skip(tag & 7, span.bodyEnd());
        if (MessageKind.TENSOR.isDense(tag >>> 3)) {
          budget.spendDense(cursor.position() - start);
        }
      }
    }
  }

  private void value(int tag) {
    int field = tag >>> 3;
    long valueStart = cursor.position();
    if ((tag & 7) == WireCursor.BYTES) {
      long end = cursor.lengthEnd(span.bodyEnd());
      valueStart = cursor.position();
      cursor.seek(end);
    } else {
      cursor.skip(tag & 7, span.bodyEnd());
    }
    long length = cursor.position() - valueStart;
    valueBytes += length;
    if (payload.encoding() == Encoding.TYPED && field != RAW_DATA) {
      return;
    }
    if (payload.encoding() == Encoding.NONE && tag == ((RAW_DATA << 3) | WireCursor.BYTES)) {
      payload = new TensorPayload(Encoding.RAW, valueStart, length);
    } else if (payload.encoding() == Encoding.NONE
        && tag == ((FLOAT_DATA << 3) | WireCursor.BYTES)) {
      payload = new TensorPayload(Encoding.PACKED_FLOAT, valueStart, length);
    } else if (field == RAW_DATA || payload.encoding() == Encoding.RAW) {
      throw cursor.broken("a tensor has raw_data twice, or raw_data and other values");
    } else {
      payload =
          new TensorPayload(Encoding.TYPED, span.bodyStart(), span.bodyEnd() - span.bodyStart());
    }
  }

  private void add(long start, long end) {
    if (!ranges.isEmpty() && ranges.getLast().end() == start) {
      ranges.set(ranges.size() - 1, new FieldRange(ranges.getLast().start(), end));
    } else {
      budget.spendField();
      ranges.add(new FieldRange(start, end));
    }
  }

  /** With any other wire type a field of this number is unknown to protobuf, and carried along. */
  private static boolean isPayload(int field, int wireType) {
    return switch (field) {
      case FLOAT_DATA -> wireType == WireCursor.BYTES || wireType == WireCursor.FIXED32;
      case 5, 7, 11 -> wireType == WireCursor.BYTES || wireType == WireCursor.VARINT;
      case 10 -> wireType == WireCursor.BYTES || wireType == WireCursor.FIXED64;
      case 6, RAW_DATA -> wireType == WireCursor.BYTES;
      default -> false;
    };
  }
}
