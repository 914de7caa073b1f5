package dev.graft.fuzz;

import dev.graft.fuzz.JsonTree.Arr;
import dev.graft.fuzz.JsonTree.Atom;
import dev.graft.fuzz.JsonTree.Member;
import dev.graft.fuzz.JsonTree.Obj;
import dev.graft.tensor.DType;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.random.RandomGenerator;

/**
 * Changes safetensors files: the header as JSON, its length, the offsets, the amount of data.
 * Mostly the length still fits afterwards and often the offsets do, or nothing behind them would be
 * tried.
 */
final class SafetensorsMutator implements Mutator {

  private static final int PREFIX = 8;
  private static final Mutator DAMAGE = new ByteMutator();
  private static final Words NAMES =
      Words.of(
          "a",
          "A",
          "b",
          "a.weight",
          "__metadata__",
          "__metadata__ ",
          "",
          ".",
          "..",
          "\\u0061",
          "\u00e9",
          "e\u0301",
          "\\u0000",
          "\\ud83d\\ude00",
          "dtype",
          "shape",
          "data_offsets",
          "base_model.model.q.lora_A.weight",
          "x".repeat(300));
  private static final Words FIELDS =
      Words.of(
          "dtype",
          "shape",
          "data_offsets",
          "__metadata__",
          "Dtype",
          "shape ",
          "a",
          "b",
          "format",
          "F32",
          "F16",
          "BF16",
          "I4",
          "F4",
          "F8_E4M3",
          "BOOL",
          "I64",
          "U8",
          "pt");

  private final JsonMutator json = new JsonMutator(FIELDS, NAMES);

  @Override
  public byte[] mutate(byte[] input, byte[] donor, RandomGenerator random) {
    Optional<JsonTree> header = header(input);
    if (header.isEmpty() || random.nextInt(12) == 0) {
      return DAMAGE.mutate(input, donor, random);
    }
    JsonTree changed =
        json.changed(header.get(), header(donor).orElse(header.get()).copy(), random);
    long end = random.nextInt(4) == 0 ? -1 : tile(changed);
    byte[] text = changed.text().getBytes(StandardCharsets.UTF_8);
    long data = end < 0 ? random.nextInt(64) : end;
    if (random.nextInt(12) == 0) {
      data += random.nextInt(-8, 9);
    }
    long length = random.nextInt(12) == 0 ? Words.number(random) : text.length;
    return file(length, text, Math.clamp(data, 0, MAX_BYTES));
  }

  static byte[] file(long length, byte[] header, int dataBytes) {
    return ByteBuffer.allocate(PREFIX + header.length + dataBytes)
        .order(ByteOrder.LITTLE_ENDIAN)
        .putLong(length)
        .put(header)
        .array();
  }

  private static Optional<JsonTree> header(byte[] file) {
    if (file.length < PREFIX) {
      return Optional.empty();
    }
    long length = ByteBuffer.wrap(file).order(ByteOrder.LITTLE_ENDIAN).getLong();
    int end = Math.clamp(length < 0 ? file.length : length + PREFIX, PREFIX, file.length);
    return JsonTree.parse(
        new String(Arrays.copyOfRange(file, PREFIX, end), StandardCharsets.UTF_8));
  }

  /** Lays the tensors after each other as their types and shapes ask, and returns the end. */
  static long tile(JsonTree header) {
    long at = 0;
    if (header instanceof Obj(List<Member> members)) {
      for (Member member : members) {
        Optional<Long> bytes = bytes(member.value());
        if (bytes.isPresent() && member.value() instanceof Obj(List<Member> fields)) {
          Arr offsets =
              new Arr(
                  List.of(new Atom(Long.toString(at)), new Atom(Long.toString(at + bytes.get()))));
          fields.replaceAll(
              f -> f.name().equals("\"data_offsets\"") ? new Member(f.name(), offsets.copy()) : f);
          at += bytes.get();
        }
      }
    }
    return at;
  }

  private static Optional<Long> bytes(JsonTree tensor) {
    if (!(tensor instanceof Obj obj)
        || !(obj.get("\"dtype\"").orElse(null) instanceof Atom dtype)
        || !(obj.get("\"shape\"").orElse(null) instanceof Arr(List<JsonTree> dims))
        || !dtype.isString()) {
      return Optional.empty();
    }
    String name = dtype.text().substring(1, dtype.text().length() - 1);
    try {
      long bits = DType.ofSafetensors(name).map(DType::bits).orElse(8);
      for (JsonTree dim : dims) {
        bits = Math.multiplyExact(bits, Long.parseLong(dim.text()));
      }
      return Optional.of(Math.max(0, bits / 8));
    } catch (ArithmeticException | NumberFormatException e) {
      return Optional.empty();
    }
  }
}
