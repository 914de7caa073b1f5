package dev.graft.onnx;

import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Finds fields of messages in the file, and remembers those of messages that are asked often. */
final class FieldIndex {

  /** One field of one message. */
  private record Key(MessageSpan span, int field) {}

  private final WireCursor cursor;
  private final Map<Key, List<FieldRange>> found = new HashMap<>();

  FieldIndex(WireCursor cursor) {
    this.cursor = cursor;
  }

  /** All length-delimited occurrences of a field directly in a message, in file order. */
  List<FieldRange> of(MessageSpan span, int field) {
    return found.computeIfAbsent(
        new Key(span, field), k -> FieldRange.find(cursor, k.span(), k.field()));
  }

  /** A message with its tag. */
  FieldRange whole(MessageSpan span) {
    MessageSpan parent = span.parent().orElseThrow();
    return of(parent, span.field()).get(span.index());
  }

  /** Where one more element of a repeated field goes: behind the last one of the message. */
  FieldRange behind(MessageSpan span, int field) {
    List<FieldRange> present = of(span, field);
    long end = present.isEmpty() ? span.bodyEnd() : present.getLast().end();
    return new FieldRange(end, end);
  }
}
