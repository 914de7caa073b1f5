package dev.graft.fuzz;

import dev.graft.fuzz.JsonTree.Arr;
import dev.graft.fuzz.JsonTree.Atom;
import dev.graft.fuzz.JsonTree.Member;
import dev.graft.fuzz.JsonTree.Obj;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;

/**
 * A whole adapter in one text: {@code adapter_config.json}, a line {@value #LINE}, and an object of
 * tensors such as {@code "q.lora_A.weight": ["F32", [2, 4]]}; then, for a sharded one, the line
 * once more and the index. Offsets and data are made to fit, so that an input speaks of names,
 * types and shapes; damaged headers have a target of their own.
 *
 * @param config the configuration
 * @param tensors the tensors
 * @param index the index, empty for an adapter in one file
 */
record AdapterInput(String config, String tensors, String index) {

  static final String LINE = "%%";

  static AdapterInput parse(byte[] input) {
    String[] parts = new String(input, StandardCharsets.UTF_8).split("\n" + LINE + "\n", 3);
    return new AdapterInput(
        parts[0], parts.length > 1 ? parts[1] : "{}", parts.length > 2 ? parts[2] : "");
  }

  byte[] toBytes() {
    String two = config + "\n" + LINE + "\n" + tensors;
    return (index.isEmpty() ? two : two + "\n" + LINE + "\n" + index)
        .getBytes(StandardCharsets.UTF_8);
  }

  /** The header that lists the tensors, and how many bytes of data it asks for. */
  record Header(String json, long dataBytes) {}

  Header header() {
    Optional<JsonTree> tree = JsonTree.parse(tensors);
    List<Member> members = new ArrayList<>();
    if (tree.orElse(null) instanceof Obj(List<Member> given)) {
      for (Member tensor : given) {
        if (tensor.value() instanceof Arr(List<JsonTree> parts)) {
          members.add(new Member(tensor.name(), entry(parts)));
        } else {
          members.add(tensor);
        }
      }
    }
    Obj header = new Obj(members);
    long end = SafetensorsMutator.tile(header);
    return new Header(header.text(), Math.max(0, end));
  }

  /** The names of the tensors as they are without escapes. */
  List<String> names() {
    return JsonTree.parse(tensors).orElse(null) instanceof Obj(List<Member> given)
        ? given.stream().map(m -> m.name().replace("\"", "")).collect(Collectors.toList())
        : List.of();
  }

  private static Obj entry(List<JsonTree> parts) {
    List<Member> fields = new ArrayList<>();
    String[] names = {"\"dtype\"", "\"shape\""};
    for (int i = 0; i < Math.min(names.length, parts.size()); i++) {
      fields.add(new Member(names[i], parts.get(i)));
    }
    fields.add(new Member("\"data_offsets\"", new Arr(List.of(new Atom("0"), new Atom("0")))));
    return new Obj(fields);
  }
}
