package dev.graft.fuzz;

import com.google.protobuf.Descriptors.FieldDescriptor;
import dev.graft.fuzz.WireTree.Field;
import dev.graft.onnx.proto.ModelProto;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Predicate;
import java.util.random.RandomGenerator;

/**
 * Changes ONNX models field by field, with the schema at hand: fields go, come twice, change places
 * and values, are taken from another model, and messages are put into each other.
 */
final class WireMutator implements Mutator {

  private static final Mutator DAMAGE = new ByteMutator();
  private static final int MANY = 300;

  private final Words words;
  private final Predicate<WireTree> favourite;

  /**
   * A mutator.
   *
   * @param words pieces of names
   * @param favourite messages that are chosen more often than others
   */
  WireMutator(Words words, Predicate<WireTree> favourite) {
    this.words = words;
    this.favourite = favourite;
  }

  @Override
  public byte[] mutate(byte[] input, byte[] donor, RandomGenerator random) {
    if (random.nextInt(12) == 0) {
      return DAMAGE.mutate(input, donor, random);
    }
    WireTree model = WireTree.parse(input, ModelProto.getDescriptor());
    List<WireTree> parts = WireTree.parse(donor, ModelProto.getDescriptor()).all();
    for (int i = random.nextInt(4); i >= 0; i--) {
      List<WireTree> all = model.all();
      change(chosen(all, random), random.nextBoolean() ? all : parts, random);
    }
    byte[] bytes = model.toBytes();
    return random.nextInt(20) == 0 ? DAMAGE.mutate(bytes, donor, random) : bytes;
  }

  private WireTree chosen(List<WireTree> all, RandomGenerator random) {
    List<WireTree> better = all.stream().filter(favourite).toList();
    List<WireTree> from = better.isEmpty() || random.nextInt(3) == 0 ? all : better;
    return from.get(random.nextInt(from.size()));
  }

  private void change(WireTree message, List<WireTree> parts, RandomGenerator random) {
    List<Field> fields = message.fields;
    if (fields.isEmpty() || random.nextInt(6) == 0) {
      fields.add(random.nextInt(fields.size() + 1), fresh(message, parts, random));
      return;
    }
    int at = random.nextInt(fields.size());
    Field field = fields.get(at);
    switch (random.nextInt(10)) {
      case 0 -> fields.remove(at);
      case 1 -> fields.add(random.nextInt(fields.size()), field.copy());
      case 2 -> repeat(fields, field, random);
      case 3 -> fields.add(random.nextInt(fields.size()), fields.remove(at));
      case 4 -> fields.set(at, misfit(field, random));
      case 5 -> nest(message, random);
      default -> fields.set(at, changed(field, message, parts, random));
    }
  }

  private static void repeat(List<Field> fields, Field field, RandomGenerator random) {
    for (int i = random.nextInt(random.nextInt(8) == 0 ? MANY : 4); i > 0; i--) {
      fields.add(field.copy());
    }
  }

  /** The number or the kind of a field changed, which the reader should not expect. */
  private static Field misfit(Field field, RandomGenerator random) {
    int number = random.nextInt(4) == 0 ? random.nextInt(1, 1 << 20) : random.nextInt(1, 27);
    int[] types = {WireTree.VARINT, WireTree.FIXED64, WireTree.BYTES, WireTree.FIXED32, 3, 4};
    return random.nextBoolean()
        ? field.as(number)
        : Field.ofNumber(field.number(), types[random.nextInt(types.length)], number);
  }

  private Field changed(
      Field field, WireTree message, List<WireTree> parts, RandomGenerator random) {
    if (field.message() != null) {
      return like(field, parts, random);
    }
    if (field.wireType() != WireTree.BYTES) {
      return Field.ofNumber(field.number(), field.wireType(), Words.number(random));
    }
    FieldDescriptor known = message.type.findFieldByNumber(field.number());
    boolean text = known != null && known.getType() == FieldDescriptor.Type.STRING;
    if (!text && random.nextBoolean()) {
      return Field.ofBytes(field.number(), DAMAGE.mutate(field.bytes(), field.bytes(), random));
    }
    // One name for two things, or a name that nobody knows: that is what joins a graph or cuts it.
    String other =
        random.nextBoolean()
            ? someText(parts, random)
            : words.changed(new String(field.bytes(), StandardCharsets.UTF_8), random);
    return Field.ofBytes(field.number(), other.getBytes(StandardCharsets.UTF_8));
  }

  private String someText(List<WireTree> parts, RandomGenerator random) {
    WireTree from = parts.get(random.nextInt(parts.size()));
    List<Field> texts =
        from.fields.stream()
            .filter(f -> f.wireType() == WireTree.BYTES && f.message() == null)
            .toList();
    return texts.isEmpty()
        ? words.any(random)
        : new String(texts.get(random.nextInt(texts.size())).bytes(), StandardCharsets.UTF_8);
  }

  /** A message of the same type from elsewhere in its place. */
  private static Field like(Field field, List<WireTree> parts, RandomGenerator random) {
    WireTree old = field.message();
    List<WireTree> same = parts.stream().filter(p -> old != null && p.type == old.type).toList();
    return same.isEmpty()
        ? field.copy()
        : Field.ofMessage(field.number(), same.get(random.nextInt(same.size())).copy());
  }

  /** A field that the schema knows for this message. */
  private Field fresh(WireTree message, List<WireTree> parts, RandomGenerator random) {
    List<FieldDescriptor> known = message.type.getFields();
    FieldDescriptor field = known.get(random.nextInt(known.size()));
    int number = field.getNumber();
    return switch (field.getJavaType()) {
      case MESSAGE ->
          like(Field.ofMessage(number, new WireTree(field.getMessageType())), parts, random);
      case STRING, BYTE_STRING ->
          Field.ofBytes(number, words.any(random).getBytes(StandardCharsets.UTF_8));
      case FLOAT -> Field.ofNumber(number, WireTree.FIXED32, random.nextInt());
      case DOUBLE -> Field.ofNumber(number, WireTree.FIXED64, random.nextLong());
      default ->
          random.nextInt(3) == 0
              ? Field.ofBytes(number, packed(random))
              : Field.ofNumber(number, WireTree.VARINT, Words.number(random));
    };
  }

  private static byte[] packed(RandomGenerator random) {
    byte[] bytes = new byte[random.nextInt(random.nextInt(8) == 0 ? 4096 : 16)];
    random.nextBytes(bytes);
    for (int i = 0; i < bytes.length; i++) {
      bytes[i] &= (byte) (random.nextInt(8) == 0 ? -1 : 0x7f);
    }
    return bytes;
  }

  /** Puts the message into itself, by way of what the schema lets stand between. */
  private static void nest(WireTree message, RandomGenerator random) {
    WireTree at = message;
    WireTree body = message.copy();
    List<FieldDescriptor> messages = new ArrayList<>();
    for (int i = random.nextInt(random.nextInt(6) == 0 ? 110 : 6); i >= 0; i--) {
      messages.clear();
      for (FieldDescriptor field : at.type.getFields()) {
        if (field.getJavaType() == FieldDescriptor.JavaType.MESSAGE) {
          messages.add(field);
        }
      }
      if (messages.isEmpty()) {
        return;
      }
      FieldDescriptor field = messages.get(random.nextInt(messages.size()));
      boolean closes = field.getMessageType() == body.type && body.fields.size() < 8;
      WireTree below = closes ? body.copy() : new WireTree(field.getMessageType());
      at.fields.add(Field.ofMessage(field.getNumber(), below));
      at = below;
    }
  }
}
