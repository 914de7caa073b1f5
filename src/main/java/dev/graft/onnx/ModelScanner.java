package dev.graft.onnx;

import com.google.protobuf.InvalidProtocolBufferException;
import dev.graft.error.FormatException;
import dev.graft.io.ByteSource;
import dev.graft.onnx.MessageSpan.FieldPlace;
import dev.graft.onnx.proto.ModelProto;

/**
 * Walks the wire format of an ONNX file once. Every tensor's payload becomes a byte range; payloads
 * of {@value #ELIDED_FROM} bytes or more are left out of the skeleton that protobuf then parses, so
 * memory does not grow with the weights.
 */
final class ModelScanner {

  /**
   * Smaller payloads (shapes, axes, scalars) stay in the skeleton, where graph code can read them.
   */
  static final int ELIDED_FROM = 1024;

  /** Just below the depth at which protobuf itself gives up. */
  static final int MAX_DEPTH = 96;

  private final ByteSource file;
  private final WireCursor cursor;
  private final ScanBudget budget;
  private final SkeletonBuffer skeleton;
  private final NestedFields nested;

  /**
   * The messages around the cursor, outermost first, and where their length prefixes are copied to.
   */
  private final MessageSpan[] open = new MessageSpan[MAX_DEPTH + 1];

  private final int[] prefixes = new int[MAX_DEPTH + 1];

  /** Up to here the file is in the skeleton or left out of it. */
  private long copiedTo;

  private ModelScanner(ByteSource file, long heap) {
    this.file = file;
    this.cursor = new WireCursor(file);
    this.budget = new ScanBudget(file.path(), heap);
    this.skeleton = new SkeletonBuffer(budget);
    this.nested = new NestedFields(cursor, budget);
  }

  /**
   * Scans a file.
   *
   * @throws FormatException if it is not a well-formed ONNX model
   */
  static Scan scan(ByteSource file) {
    return scan(file, Runtime.getRuntime().maxMemory());
  }

  /** Scans a file for which there is only so much memory. */
  static Scan scan(ByteSource file, long heap) {
    try {
      return new ModelScanner(file, heap).scan();
    } catch (FormatException e) {
      throw OtherFormat.of(file).map(format -> format.refuse(file.path(), e)).orElse(e);
    }
  }

  private Scan scan() {
    MessageSpan root = MessageSpan.root(file.size());
    message(MessageKind.MODEL, root, 0);
    skeleton.copy(cursor, copiedTo, root.bodyEnd());
    ModelProto proto;
    try {
      proto = skeleton.parse();
    } catch (InvalidProtocolBufferException e) {
      throw new FormatException(
          file.path() + ": is damaged or is not an ONNX model: " + e.getMessage(), e);
    }
    if (!proto.hasGraph()) {
      throw new FormatException(
          file.path() + ": holds no graph; it is truncated or is not an ONNX model");
    }
    return new Scan(proto, root);
  }

  /** Walks over a message, hangs what is below into {@code span} and leaves out large payloads. */
  private void message(MessageKind kind, MessageSpan span, int depth) {
    open[depth] = span;
    prefixes[depth] = -1;
    if (kind == MessageKind.TENSOR) {
      tensor(span, depth);
    } else {
      fields(kind, span, depth);
    }
    if (prefixes[depth] >= 0) {
      skeleton.copy(cursor, copiedTo, span.bodyEnd());
      copiedTo = span.bodyEnd();
      skeleton.close(prefixes[depth]);
    }
  }

  private void fields(MessageKind kind, MessageSpan span, int depth) {
    int[] seen = new int[0];
    while (cursor.position() < span.bodyEnd()) {
      int tag = cursor.tag(span.bodyEnd());
      int field = tag >>> 3;
      budget.spendField();
      MessageKind child = (tag & 7) == WireCursor.BYTES ? kind.child(field) : null;
      if (child == null) {
        long start = cursor.position();
        nested.pass(kind.type(), tag, span.bodyEnd());
        if (kind.isPacked(field)) {
          budget.spendDense(cursor.position() - start);
        }
        continue;
      }
      if (seen.length == 0) {
        seen = new int[MessageKind.CHILD_FIELDS];
      }
      if (seen[field] > 0 && kind.isSingle(field)) {
        throw cursor.broken("field " + field + " of " + kind + " stands twice");
      }
      if (depth == MAX_DEPTH) {
        throw cursor.broken("messages are nested deeper than " + MAX_DEPTH + " levels");
      }
      budget.spendMessage(child);
      MessageSpan below = MessageSpan.read(cursor, span, new FieldPlace(field, seen[field]++));
      message(child, below, depth + 1);
      if (child != MessageKind.ATTRIBUTE || below.hasChildren()) {
        span.add(below);
      }
    }
  }

  private void tensor(MessageSpan span, int depth) {
    PayloadWalk walk = PayloadWalk.of(cursor, span, budget);
    span.setPayload(walk.payload());
    if (walk.valueBytes() < ELIDED_FROM) {
      budget.spendDense(walk.valueBytes());
      return;
    }
    // From here on the messages around are shorter in the skeleton than in the file.
    for (int i = 1; i <= depth; i++) {
      if (prefixes[i] < 0) {
        skeleton.copy(cursor, copiedTo, open[i].lengthStart());
        prefixes[i] = skeleton.reserve();
        copiedTo = open[i].bodyStart();
      }
    }
    for (FieldRange range : walk.ranges()) {
      skeleton.copy(cursor, copiedTo, range.start());
      copiedTo = range.end();
    }
  }
}
