package dev.graft.onnx;

import com.google.protobuf.CodedOutputStream;
import com.google.protobuf.InvalidProtocolBufferException;
import dev.graft.error.FormatException;
import dev.graft.io.InputFile;
import dev.graft.onnx.MessageSpan.FieldPlace;
import dev.graft.onnx.TensorPayload.Encoding;
import dev.graft.onnx.proto.ModelProto;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

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

  private static final int MAX_DEPTH = 96;
  private static final int RAW_DATA = 9;
  private static final int FLOAT_DATA = 4;

  private final InputFile file;
  private final WireCursor cursor;

  private ModelScanner(InputFile file) {
    this.file = file;
    this.cursor = new WireCursor(file);
  }

  /**
   * Scans a file.
   *
   * @throws FormatException if it is not a well-formed ONNX model
   */
  static Scan scan(InputFile file) {
    return new ModelScanner(file).scan();
  }

  private Scan scan() {
    MessageSpan root = MessageSpan.root(file.size());
    byte[] skeleton = message(MessageKind.MODEL, root, 0);
    ModelProto proto;
    try {
      proto = ModelProto.parseFrom(skeleton);
    } catch (InvalidProtocolBufferException e) {
      throw new FormatException(file.path() + ": not an ONNX model: " + e.getMessage(), e);
    }
    if (!proto.hasGraph()) {
      throw new FormatException(
          file.path() + ": holds no graph; it is empty, truncated or not an ONNX model");
    }
    return new Scan(proto, root);
  }

  /**
   * Copies a message without the large payloads below it, and hangs its spans into {@code span}.
   */
  private byte[] message(MessageKind kind, MessageSpan span, int depth) {
    if (depth > MAX_DEPTH) {
      throw cursor.broken("messages are nested deeper than " + MAX_DEPTH + " levels");
    }
    if (kind == MessageKind.TENSOR) {
      return tensor(span);
    }
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    Map<Integer, Integer> seen = new HashMap<>();
    cursor.seek(span.bodyStart());
    long plainFrom = span.bodyStart();
    while (cursor.position() < span.bodyEnd()) {
      long tagStart = cursor.position();
      int tag = cursor.tag(span.bodyEnd());
      int field = tag >>> 3;
      MessageKind child = (tag & 7) == WireCursor.BYTES ? kind.child(field) : null;
      if (child == null) {
        cursor.skip(tag & 7, span.bodyEnd());
        continue;
      }
      out.writeBytes(cursor.bytes(plainFrom, tagStart));
      MessageSpan below = open(span, new FieldPlace(field, seen.merge(field, 1, Integer::sum) - 1));
      if (seen.getOrDefault(field, 0) > 1 && kind.isSingle(field)) {
        throw cursor.broken("field " + field + " of " + kind + " stands twice");
      }
      write(out, tag, message(child, below, depth + 1));
      if (child != MessageKind.ATTRIBUTE || below.hasChildren()) {
        span.add(below);
      }
      cursor.seek(below.bodyEnd());
      plainFrom = below.bodyEnd();
    }
    out.writeBytes(cursor.bytes(plainFrom, span.bodyEnd()));
    return out.toByteArray();
  }

  private MessageSpan open(MessageSpan parent, FieldPlace place) {
    long lengthStart = cursor.position();
    long end = cursor.lengthEnd(parent.bodyEnd());
    return MessageSpan.inside(parent, place, lengthStart, new long[] {cursor.position(), end});
  }

  private static void write(ByteArrayOutputStream out, int tag, byte[] body) {
    try {
      CodedOutputStream coded = CodedOutputStream.newInstance(out, 16);
      coded.writeUInt32NoTag(tag);
      coded.writeUInt32NoTag(body.length);
      coded.flush();
    } catch (IOException e) {
      throw new UncheckedIOException("writing to memory cannot fail", e);
    }
    out.writeBytes(body);
  }

  /** Copies a TensorProto without a large payload and notes where the payload is. */
  private byte[] tensor(MessageSpan span) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    cursor.seek(span.bodyStart());
    TensorPayload payload = null;
    long plainFrom = span.bodyStart();
    while (cursor.position() < span.bodyEnd()) {
      long tagStart = cursor.position();
      int tag = cursor.tag(span.bodyEnd());
      int field = tag >>> 3;
      long valueStart = cursor.position();
      cursor.skip(tag & 7, span.bodyEnd());
      if (!isPayload(field)) {
        continue;
      }
      payload = join(payload, field, tag & 7, valueStart, span);
      // Typed fields that are not one packed run go whole: their size is the sum of many small
      // pieces.
      boolean elide =
          cursor.position() - valueStart >= ELIDED_FROM
              || span.bodyEnd() - span.bodyStart() >= 2 * ELIDED_FROM;
      if (elide) {
        out.writeBytes(cursor.bytes(plainFrom, tagStart));
        plainFrom = cursor.position();
      }
    }
    out.writeBytes(cursor.bytes(plainFrom, span.bodyEnd()));
    span.setPayload(payload == null ? TensorPayload.none() : payload);
    return out.toByteArray();
  }

  private static boolean isPayload(int field) {
    return switch (field) {
      case 4, 5, 6, 7, 9, 10, 11 -> true;
      default -> false;
    };
  }

  private TensorPayload join(
      @Nullable TensorPayload before, int field, int wireType, long valueStart, MessageSpan span) {
    if (before == null
        && wireType == WireCursor.BYTES
        && (field == RAW_DATA || field == FLOAT_DATA)) {
      long end = cursor.position();
      cursor.seek(valueStart);
      cursor.lengthEnd(span.bodyEnd());
      long start = cursor.position();
      cursor.seek(end);
      Encoding encoding = field == RAW_DATA ? Encoding.RAW : Encoding.PACKED_FLOAT;
      return new TensorPayload(encoding, start, end - start);
    }
    if (field == RAW_DATA || (before != null && before.encoding() == Encoding.RAW)) {
      throw cursor.broken("a tensor has raw_data and other data, or raw_data twice");
    }
    return new TensorPayload(Encoding.TYPED, span.bodyStart(), span.bodyEnd() - span.bodyStart());
  }
}
