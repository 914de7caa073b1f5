package dev.graft.fuzz;

import com.google.protobuf.Descriptors.Descriptor;
import com.google.protobuf.Descriptors.FieldDescriptor;
import java.io.ByteArrayOutputStream;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A message in protobuf's wire format as fields that can be moved, copied and changed, whether or
 * not they make sense. Bytes that cannot be taken apart are kept as they are.
 */
final class WireTree {

  static final int VARINT = 0;
  static final int FIXED64 = 1;
  static final int BYTES = 2;
  static final int FIXED32 = 5;

  private static final int MAX_DEPTH = 200;

  /** What the message is, by the schema. */
  final Descriptor type;

  final List<Field> fields = new ArrayList<>();
  private byte[] rest = new byte[0];

  WireTree(Descriptor type) {
    this.type = type;
  }

  /** A field with its number, how it is written, and its value in one of three forms. */
  static final class Field {
    private final int number;
    private final int wireType;
    private final long value;
    private final byte[] bytes;
    private final @Nullable WireTree message;

    private Field(int number, int wireType, long value) {
      this.number = number;
      this.wireType = wireType;
      this.value = value;
      this.bytes = new byte[0];
      this.message = null;
    }

    private Field(int number, byte[] bytes, @Nullable WireTree message) {
      this.number = number;
      this.wireType = BYTES;
      this.value = 0;
      this.bytes = bytes;
      this.message = message;
    }

    static Field ofNumber(int number, int wireType, long value) {
      return wireType == BYTES ? ofBytes(number, new byte[0]) : new Field(number, wireType, value);
    }

    static Field ofBytes(int number, byte[] bytes) {
      return new Field(number, bytes, null);
    }

    static Field ofMessage(int number, WireTree message) {
      return new Field(number, new byte[0], message);
    }

    /** The same under another number. */
    Field as(int other) {
      return wireType == BYTES
          ? new Field(other, bytes, message)
          : new Field(other, wireType, value);
    }

    Field copy() {
      return message == null ? this : ofMessage(number, message.copy());
    }

    int number() {
      return number;
    }

    int wireType() {
      return wireType;
    }

    /** The bytes of a string, or of a message that is not taken apart. */
    byte[] bytes() {
      return bytes;
    }

    @Nullable WireTree message() {
      return message;
    }
  }

  WireTree copy() {
    WireTree copy = new WireTree(type);
    fields.forEach(f -> copy.fields.add(f.copy()));
    copy.rest = rest;
    return copy;
  }

  /** This message and all below it. */
  List<WireTree> all() {
    List<WireTree> all = new ArrayList<>();
    collect(all);
    return all;
  }

  private void collect(List<WireTree> all) {
    all.add(this);
    for (Field field : fields) {
      if (field.message() != null) {
        field.message().collect(all);
      }
    }
  }

  static WireTree parse(byte[] bytes, Descriptor type) {
    return parse(new Cursor(bytes, 0, bytes.length), type, 0);
  }

  private static WireTree parse(Cursor cursor, Descriptor type, int depth) {
    WireTree tree = new WireTree(type);
    while (cursor.at < cursor.end) {
      int start = cursor.at;
      Field field = field(cursor, type, depth);
      if (field == null) {
        tree.rest = Arrays.copyOfRange(cursor.bytes, start, cursor.end);
        break;
      }
      tree.fields.add(field);
    }
    return tree;
  }

  private static @Nullable Field field(Cursor cursor, Descriptor type, int depth) {
    long tag = cursor.varint();
    int number = (int) (tag >>> 3);
    int wireType = (int) tag & 7;
    long value =
        switch (wireType) {
          case VARINT, BYTES -> cursor.varint();
          case FIXED64 -> cursor.little(8);
          case FIXED32 -> cursor.little(4);
          default -> cursor.fail();
        };
    if (cursor.failed) {
      return null;
    }
    if (wireType != BYTES) {
      return Field.ofNumber(number, wireType, value);
    }
    if (value < 0 || value > cursor.end - cursor.at) {
      return null;
    }
    Cursor body = new Cursor(cursor.bytes, cursor.at, cursor.at + (int) value);
    cursor.at = body.end;
    FieldDescriptor known = type.findFieldByNumber(number);
    boolean entered =
        known != null
            && known.getJavaType() == FieldDescriptor.JavaType.MESSAGE
            && depth < MAX_DEPTH;
    return entered
        ? Field.ofMessage(number, parse(body, known.getMessageType(), depth + 1))
        : Field.ofBytes(number, Arrays.copyOfRange(body.bytes, body.at, body.end));
  }

  byte[] toBytes() {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    for (Field field : fields) {
      varint(out, ((long) field.number() << 3) | field.wireType());
      switch (field.wireType()) {
        case VARINT -> varint(out, field.value);
        case FIXED64 -> little(out, field.value, 8);
        case FIXED32 -> little(out, field.value, 4);
        default -> {
          byte[] body = field.message() == null ? field.bytes() : field.message().toBytes();
          varint(out, body.length);
          out.writeBytes(body);
        }
      }
    }
    out.writeBytes(rest);
    return out.toByteArray();
  }

  private static void varint(ByteArrayOutputStream out, long value) {
    long left = value;
    while ((left & ~0x7fL) != 0) {
      out.write((int) (left & 0x7f) | 0x80);
      left >>>= 7;
    }
    out.write((int) left);
  }

  private static void little(ByteArrayOutputStream out, long value, int bytes) {
    for (int i = 0; i < bytes; i++) {
      out.write((int) (value >>> (8 * i)));
    }
  }

  /** A place in bytes that may end too early. */
  private static final class Cursor {
    final byte[] bytes;
    final int end;
    int at;
    boolean failed;

    Cursor(byte[] bytes, int from, int end) {
      this.bytes = bytes;
      this.at = from;
      this.end = end;
    }

    long varint() {
      long value = 0;
      for (int shift = 0; shift < 70 && at < end; shift += 7) {
        byte b = bytes[at++];
        value |= (long) (b & 0x7f) << shift;
        if (b >= 0) {
          return value;
        }
      }
      return fail();
    }

    long fail() {
      failed = true;
      return 0;
    }

    long little(int size) {
      if (size > end - at) {
        return fail();
      }
      long value = 0;
      for (int i = 0; i < size; i++) {
        value |= (bytes[at++] & 0xffL) << (8 * i);
      }
      return value;
    }
  }
}
