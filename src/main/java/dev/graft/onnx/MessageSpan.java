package dev.graft.onnx;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Where a protobuf message lies in its file. Spans form a tree, so that a change deep inside can be
 * carried out by replacing a few bytes and the length prefixes above them.
 */
public final class MessageSpan {

  private final @Nullable MessageSpan parent;
  private final int field;
  private final int index;
  private final long lengthStart;
  private final long bodyStart;
  private final long bodyEnd;
  private final List<MessageSpan> children = new ArrayList<>();
  private @Nullable TensorPayload payload;

  private MessageSpan(
      @Nullable MessageSpan parent, FieldPlace place, long lengthStart, long bodyStart, long end) {
    this.parent = parent;
    this.field = place.field();
    this.index = place.index();
    this.lengthStart = lengthStart;
    this.bodyStart = bodyStart;
    this.bodyEnd = end;
  }

  /** Field number and ordinal among the siblings of that field. */
  record FieldPlace(int field, int index) {}

  static MessageSpan root(long fileLength) {
    return new MessageSpan(null, new FieldPlace(0, 0), 0, 0, fileLength);
  }

  static MessageSpan inside(MessageSpan parent, FieldPlace place, long lengthStart, long[] body) {
    return new MessageSpan(parent, place, lengthStart, body[0], body[1]);
  }

  /** The message that holds this one; empty for the model itself. */
  public Optional<MessageSpan> parent() {
    return Optional.ofNullable(parent);
  }

  /** First byte of the length prefix; for the model itself 0. */
  public long lengthStart() {
    return lengthStart;
  }

  /** First byte after the length prefix. */
  public long bodyStart() {
    return bodyStart;
  }

  /** First byte after the message. */
  public long bodyEnd() {
    return bodyEnd;
  }

  /** The child at this place; empty where the scanner saw no tensor or graph in it. */
  Optional<MessageSpan> child(int wantedField, int wantedIndex) {
    for (MessageSpan child : children) {
      if (child.field == wantedField && child.index == wantedIndex) {
        return Optional.of(child);
      }
    }
    return Optional.empty();
  }

  /** All children of a field that is never pruned (nodes, initializers), in file order. */
  List<MessageSpan> children(int wantedField) {
    return children.stream().filter(c -> c.field == wantedField).toList();
  }

  boolean hasChildren() {
    return !children.isEmpty();
  }

  void add(MessageSpan child) {
    children.add(child);
  }

  void setPayload(TensorPayload found) {
    payload = found;
  }

  Optional<TensorPayload> payload() {
    return Optional.ofNullable(payload);
  }
}
