package dev.graft.fuzz;

import dev.graft.fuzz.JsonTree.Arr;
import dev.graft.fuzz.JsonTree.Atom;
import dev.graft.fuzz.JsonTree.Member;
import dev.graft.fuzz.JsonTree.Obj;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.random.RandomGenerator;

/** Changes JSON as a tree: members and items go, come twice, change places, names and values. */
final class JsonMutator implements Mutator {

  private static final Mutator DAMAGE = new ByteMutator();
  private static final List<String> ATOMS =
      List.of(
          "null",
          "true",
          "false",
          "0",
          "-0",
          "-1",
          "1e9",
          "1e400",
          "0.5",
          "1.0",
          "NaN",
          "Infinity",
          "01",
          "9223372036854775807",
          "9223372036854775808",
          "18446744073709551616",
          "2147483648",
          "\"\"",
          "\"\\u0000\"",
          "\"\\ud800\"",
          "\"\\",
          "\u0663",
          "[]",
          "{}",
          "\"LORA\"",
          "1" + "0".repeat(900),
          "1" + "0".repeat(1100),
          "0." + "3".repeat(700));

  private final Words words;
  private final Words names;

  /**
   * A mutator.
   *
   * @param words pieces of strings
   * @param names what members may be called
   */
  JsonMutator(Words words, Words names) {
    this.words = words;
    this.names = names;
  }

  @Override
  public byte[] mutate(byte[] input, byte[] donor, RandomGenerator random) {
    Optional<JsonTree> tree = JsonTree.parse(utf8(input));
    Optional<JsonTree> other = JsonTree.parse(utf8(donor));
    if (tree.isEmpty() || random.nextInt(16) == 0) {
      return DAMAGE.mutate(input, donor, random);
    }
    return changed(tree.get(), other.orElse(tree.get()), random)
        .text()
        .getBytes(StandardCharsets.UTF_8);
  }

  /** A tree with a few changes; the one given may be changed too. */
  JsonTree changed(JsonTree tree, JsonTree donor, RandomGenerator random) {
    JsonTree changed = tree;
    for (int i = random.nextInt(4); i >= 0; i--) {
      List<JsonTree> all = new ArrayList<>();
      collect(changed, all);
      JsonTree place = all.get(random.nextInt(all.size()));
      if (changed instanceof Atom) {
        changed = value(place, donor, random);
      }
      change(place, donor, random);
    }
    return changed;
  }

  private void change(JsonTree place, JsonTree donor, RandomGenerator random) {
    switch (place) {
      case Obj obj -> change(obj.members(), donor, random);
      case Arr arr -> changeItems(arr.items(), donor, random);
      case Atom _ -> {}
    }
  }

  private void change(List<Member> members, JsonTree donor, RandomGenerator random) {
    if (members.isEmpty()) {
      members.add(new Member(name("\"\"", random), value(new Atom("0"), donor, random)));
      return;
    }
    int at = random.nextInt(members.size());
    Member member = members.get(at);
    switch (random.nextInt(8)) {
      case 0 -> members.remove(at);
      case 1 -> members.add(new Member(member.name(), member.value().copy()));
      case 2 -> members.set(at, new Member(name(member.name(), random), member.value()));
      case 3 -> members.add(new Member(name(member.name(), random), member.value().copy()));
      case 4 -> members.add(at, members.removeLast());
      default -> members.set(at, new Member(member.name(), value(member.value(), donor, random)));
    }
  }

  private void changeItems(List<JsonTree> items, JsonTree donor, RandomGenerator random) {
    if (items.isEmpty()) {
      items.add(value(new Atom("0"), donor, random));
      return;
    }
    int at = random.nextInt(items.size());
    switch (random.nextInt(6)) {
      case 0 -> items.remove(at);
      case 1 -> items.add(items.get(at).copy());
      case 2 -> {
        for (int i = random.nextInt(80); i > 0; i--) {
          items.add(items.get(at).copy());
        }
      }
      default -> items.set(at, value(items.get(at), donor, random));
    }
  }

  /** Another value in the place of one. */
  private JsonTree value(JsonTree old, JsonTree donor, RandomGenerator random) {
    return switch (random.nextInt(10)) {
      case 0 -> new Atom(ATOMS.get(random.nextInt(ATOMS.size())));
      case 1, 2 -> new Atom(Long.toString(Words.number(random)));
      case 3 -> part(donor, random);
      case 4 -> nested(old, random);
      case 5 -> new Atom(quoted(words.any(random)));
      default ->
          old instanceof Atom atom && atom.isString()
              ? new Atom(quoted(words.changed(unquoted(atom.text()), random)))
              : new Atom(Long.toString(random.nextInt(20)));
    };
  }

  private static JsonTree nested(JsonTree inner, RandomGenerator random) {
    JsonTree tree = inner;
    for (int i = random.nextInt(random.nextInt(8) == 0 ? 300 : 4); i >= 0; i--) {
      tree =
          random.nextBoolean()
              ? new Arr(new ArrayList<>(List.of(tree)))
              : new Obj(new ArrayList<>(List.of(new Member("\"a\"", tree))));
    }
    return tree;
  }

  private static JsonTree part(JsonTree donor, RandomGenerator random) {
    List<JsonTree> all = new ArrayList<>();
    collect(donor, all);
    return all.get(random.nextInt(all.size())).copy();
  }

  private String name(String old, RandomGenerator random) {
    return random.nextBoolean()
        ? quoted(names.any(random))
        : quoted(words.changed(unquoted(old), random));
  }

  private static void collect(JsonTree tree, List<JsonTree> all) {
    all.add(tree);
    switch (tree) {
      case Obj obj -> obj.members().forEach(m -> collect(m.value(), all));
      case Arr arr -> arr.items().forEach(i -> collect(i, all));
      case Atom _ -> {}
    }
  }

  private static String unquoted(String text) {
    return text.length() < 2 ? text : text.substring(1, text.length() - 1);
  }

  /** In quotes, as it is: an odd backslash or quote is one more kind of damage. */
  private static String quoted(String text) {
    return '"' + text + '"';
  }

  private static String utf8(byte[] bytes) {
    return new String(bytes, StandardCharsets.UTF_8);
  }
}
