package dev.graft.onnx;

import com.google.protobuf.Descriptors.FieldDescriptor;
import com.google.protobuf.DynamicMessage;
import com.google.protobuf.Message;
import java.io.ByteArrayOutputStream;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;

/**
 * Serialises messages with their fields in any order and packed fields in any pieces. Only fields
 * of one number keep their order, because that is part of what a message says.
 */
final class Shuffled {

  private final Random random;

  Shuffled(Random random) {
    this.random = random;
  }

  byte[] bytes(Message message) {
    Map<Integer, Deque<byte[]>> byField = new HashMap<>();
    List<Integer> order = new ArrayList<>();
    message
        .getAllFields()
        .forEach((field, value) -> {
          List<byte[]> pieces = pieces(field, value);
          byField.put(field.getNumber(), new ArrayDeque<>(pieces));
          order.addAll(Collections.nCopies(pieces.size(), field.getNumber()));
        });
    Collections.shuffle(order, random);
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    for (int field : order) {
      out.writeBytes(Objects.requireNonNull(byField.get(field)).removeFirst());
    }
    out.writeBytes(message.getUnknownFields().toByteArray());
    return out.toByteArray();
  }

  private List<byte[]> pieces(FieldDescriptor field, Object value) {
    List<?> values = value instanceof List<?> list ? list : List.of(value);
    if (field.isPacked()) {
      return packed(field, values);
    }
    return values.stream().map(one -> single(field, one)).toList();
  }

  private byte[] single(FieldDescriptor field, Object value) {
    if (value instanceof Message message) {
      return Wire.message(field.getNumber(), bytes(message));
    }
    Message.Builder alone = DynamicMessage.newBuilder(field.getContainingType());
    if (field.isRepeated()) {
      alone.addRepeatedField(field, value);
    } else {
      alone.setField(field, value);
    }
    return alone.buildPartial().toByteArray();
  }

  private List<byte[]> packed(FieldDescriptor field, List<?> values) {
    List<byte[]> pieces = new ArrayList<>();
    for (int from = 0; from < values.size(); ) {
      int left = values.size() - from;
      int to = from + (random.nextBoolean() ? left : 1 + random.nextInt(left));
      boolean isRun = random.nextInt(3) > 0;
      List<byte[]> elements =
          values.subList(from, to).stream().map(v -> element(field, v, isRun)).toList();
      byte[] joined = Wire.join(elements.toArray(byte[][]::new));
      pieces.add(isRun ? Wire.message(field.getNumber(), joined) : joined);
      from = to;
    }
    return pieces;
  }

  /** One element, inside a run without and outside with its tag. */
  private static byte[] element(FieldDescriptor field, Object value, boolean isRun) {
    byte[] whole =
        switch (value) {
          case Float f -> Wire.fixed32(field.getNumber(), Float.floatToRawIntBits(f));
          case Double d -> Wire.fixed64(field.getNumber(), Double.doubleToRawLongBits(d));
          case Number n -> Wire.varint(field.getNumber(), n.longValue());
          default -> throw new IllegalArgumentException(field.getFullName());
        };
    return isRun ? Arrays.copyOfRange(whole, 1, whole.length) : whole;
  }
}
