package dev.graft.onnx;

import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
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
  private List<MessageSpan> children = List.of();
  private @Nullable TensorPayload payload;

  private MessageSpan(
      @Nullable MessageSpan parent, FieldPlace place, long lengthStart, FieldRange body) {
    this.parent = parent;
    this.field = place.field();
    this.index = place.index();
    this.lengthStart = lengthStart;
    this.bodyStart = body.start();
    this.bodyEnd = body.end();
  }

  /** Field number and ordinal among the siblings of that field. */
  record FieldPlace(int field, int index) {}

  static MessageSpan root(long fileLength) {
    return new MessageSpan(null, new FieldPlace(0, 0), 0, new FieldRange(0, fileLength));
  }

  /** Reads the length prefix at the cursor and leaves the cursor at the first byte of the body. */
  static MessageSpan read(WireCursor cursor, MessageSpan parent, FieldPlace place) {
    long lengthStart = cursor.position();
    long end = cursor.lengthEnd(parent.bodyEnd);
    return new MessageSpan(parent, place, lengthStart, new FieldRange(cursor.position(), end));
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

  /** Which field of the message around it this message is; for the model itself 0. */
  int field() {
    return field;
  }

  /** What the message is. */
  MessageKind kind() {
    if (parent == null) {
      return MessageKind.MODEL;
    }
    return Objects.requireNonNull(parent.kind().child(field));
  }

  /** Ordinal among the siblings of the same field. */
  int index() {
    return index;
  }

  /** How many messages are around this one. */
  int depth() {
    int depth = 0;
    for (MessageSpan above = parent; above != null; above = above.parent) {
      depth++;
    }
    return depth;
  }

  /**
   * The children of a field in file order. Of attributes only those are kept that have a tensor or
   * a graph below them; {@link #index} tells which they are.
   */
  List<MessageSpan> children(int wanted) {
    List<MessageSpan> found = new ArrayList<>();
    for (MessageSpan child : children) {
      if (child.field == wanted) {
        found.add(child);
      }
    }
    return found;
  }

  /** The child of a field that the parsed message has, and has once. */
  MessageSpan child(int wanted) {
    for (MessageSpan child : children) {
      if (child.field == wanted) {
        return child;
      }
    }
    throw new IllegalStateException("the scan saw no field " + wanted + " at byte " + bodyStart);
  }

  boolean hasChildren() {
    return !children.isEmpty();
  }

  void add(MessageSpan child) {
    if (children.isEmpty()) {
      children = new ArrayList<>(2);
    }
    children.add(child);
  }

  void setPayload(TensorPayload found) {
    payload = found;
  }

  Optional<TensorPayload> payload() {
    return Optional.ofNullable(payload);
  }
}
