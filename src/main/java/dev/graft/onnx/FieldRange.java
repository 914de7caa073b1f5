package dev.graft.onnx;

import dev.graft.io.InputFile;
import java.util.ArrayList;
import java.util.List;

/**
 * Where one field of a message lies.
 *
 * @param start first byte of the tag
 * @param end first byte after the value
 */
record FieldRange(long start, long end) {

  /** All occurrences of a field directly in a message, in file order. */
  static List<FieldRange> find(InputFile file, MessageSpan span, int field) {
    WireCursor cursor = new WireCursor(file);
    cursor.seek(span.bodyStart());
    List<FieldRange> found = new ArrayList<>();
    while (cursor.position() < span.bodyEnd()) {
      long start = cursor.position();
      int tag = cursor.tag(span.bodyEnd());
      cursor.skip(tag & 7, span.bodyEnd());
      if (tag >>> 3 == field) {
        found.add(new FieldRange(start, cursor.position()));
      }
    }
    return found;
  }
}
