package dev.graft.onnx;

import java.util.ArrayList;
import java.util.List;
import java.util.function.IntPredicate;

/**
 * Where one field of a message lies, or several in a row.
 *
 * @param start first byte of the tag
 * @param end first byte after the value
 */
record FieldRange(long start, long end) {

  /**
   * All length-delimited occurrences of a field directly in a message, in file order: those that
   * protobuf takes for strings or messages.
   */
  static List<FieldRange> find(WireCursor cursor, MessageSpan span, int field) {
    return tagged(cursor, span, tag -> tag == ((field << 3) | WireCursor.BYTES));
  }

  /** The empty range behind everything that a message holds. */
  static FieldRange endOf(MessageSpan span) {
    return new FieldRange(span.bodyEnd(), span.bodyEnd());
  }

  /** All fields with the wanted tags directly in a message, in file order. */
  static List<FieldRange> tagged(WireCursor cursor, MessageSpan span, IntPredicate wanted) {
    cursor.seek(span.bodyStart());
    List<FieldRange> found = new ArrayList<>();
    while (cursor.position() < span.bodyEnd()) {
      long start = cursor.position();
      int tag = cursor.tag(span.bodyEnd());
      cursor.skip(tag & 7, span.bodyEnd());
      if (wanted.test(tag)) {
        found.add(new FieldRange(start, cursor.position()));
      }
    }
    return found;
  }
}
