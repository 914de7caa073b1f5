package dev.graft.match;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * What modules are called that are one layer in some models and graphs and several in others: the
 * attention's query, key and value, and the two halves of a gated feed-forward layer.
 */
final class PackedNames {

  private PackedNames() {}

  /** What is packed, in the order in which the outputs lie. */
  enum Kind {
    QKV("query, key and value", 3),
    GATE_UP("gate and up", 2);

    private final String label;
    private final int parts;

    Kind(String label, int parts) {
      this.label = label;
      this.parts = parts;
    }

    /** How messages call the parts. */
    String label() {
      return label;
    }

    /** How many parts there are. */
    int parts() {
      return parts;
    }

    /** How messages call one of the parts. */
    String partLabel(int position) {
      return switch (this) {
        case QKV -> AttentionRoles.Role.at(position).label();
        case GATE_UP -> position == 0 ? "gate" : "up";
      };
    }
  }

  private record Family(Kind kind, List<String> parts) {}

  private static final List<Family> FAMILIES =
      List.of(
          new Family(Kind.QKV, List.of("q_proj", "k_proj", "v_proj")),
          new Family(Kind.QKV, List.of("query", "key", "value")),
          new Family(Kind.QKV, List.of("q_lin", "k_lin", "v_lin")),
          new Family(Kind.QKV, List.of("query_proj", "key_proj", "value_proj")),
          new Family(Kind.QKV, List.of("to_q", "to_k", "to_v")),
          new Family(Kind.QKV, List.of("q", "k", "v")),
          new Family(Kind.GATE_UP, List.of("gate_proj", "up_proj")));

  private static final List<String> QKV_PACKS =
      List.of("qkv_proj", "qkv", "c_attn", "in_proj", "Wqkv", "W_pack");
  private static final List<String> GATE_UP_PACKS = List.of("gate_up_proj");

  /** Falcon, Bloom and NeoX put the rows of one head's q, k and v next to each other. */
  private static final String PER_HEAD = "query_key_value";

  /**
   * A module that others pack together with its siblings.
   *
   * @param siblings the full names of all parts, in order
   * @param position which of them the module is
   */
  record Part(Kind kind, String parent, List<String> siblings, int position) {

    /** The full names that a module of all parts may have, their outputs in blocks. */
    List<String> packs() {
      return joined(parent, packsOf(kind));
    }

    /** The name of a module that holds the parts head by head. */
    Optional<String> perHead() {
      return kind == Kind.QKV ? Optional.of(join(parent, PER_HEAD)) : Optional.empty();
    }
  }

  /**
   * A module that others split into its parts.
   *
   * @param others the full names that it may have as well
   * @param parts the full names of its parts in each way of naming them
   */
  record Pack(Kind kind, String parent, List<String> others, List<List<String>> parts) {}

  /** What a module is a part of by its name. */
  static Optional<Part> part(String module) {
    String leaf = leaf(module);
    String parent = parent(module);
    for (Family family : FAMILIES) {
      int position = family.parts().indexOf(leaf);
      if (position >= 0) {
        return Optional.of(
            new Part(family.kind(), parent, joined(parent, family.parts()), position));
      }
    }
    return Optional.empty();
  }

  /** What a module packs by its name. */
  static Optional<Pack> pack(String module) {
    String leaf = leaf(module);
    String parent = parent(module);
    for (Kind kind : Kind.values()) {
      if (packsOf(kind).contains(leaf)) {
        List<String> others =
            joined(parent, packsOf(kind)).stream().filter(n -> !n.equals(module)).toList();
        List<List<String>> parts =
            FAMILIES.stream()
                .filter(f -> f.kind() == kind)
                .map(f -> joined(parent, f.parts()))
                .toList();
        return Optional.of(new Pack(kind, parent, others, parts));
      }
    }
    return Optional.empty();
  }

  /** Every name under which an adapter may know a module of the file, or a part of it. */
  static List<String> aliases(String module) {
    List<String> aliases = new ArrayList<>();
    part(module).ifPresent(part -> aliases.addAll(part.packs()));
    pack(module)
        .ifPresent(pack -> {
          aliases.addAll(pack.others());
          pack.parts().forEach(aliases::addAll);
        });
    return aliases;
  }

  /** The same for a whole attention: the names of its parts and packs. */
  static List<String> within(String attention) {
    List<String> names = new ArrayList<>(joined(attention, QKV_PACKS));
    FAMILIES.stream()
        .filter(f -> f.kind() == Kind.QKV)
        .forEach(f -> names.addAll(joined(attention, f.parts())));
    return names;
  }

  private static List<String> packsOf(Kind kind) {
    return kind == Kind.QKV ? QKV_PACKS : GATE_UP_PACKS;
  }

  private static List<String> joined(String parent, List<String> leaves) {
    return leaves.stream().map(leaf -> join(parent, leaf)).toList();
  }

  private static String join(String parent, String leaf) {
    return parent.isEmpty() ? leaf : parent + "." + leaf;
  }

  private static String leaf(String module) {
    return module.substring(module.lastIndexOf('.') + 1);
  }

  private static String parent(String module) {
    int dot = module.lastIndexOf('.');
    return dot < 0 ? "" : module.substring(0, dot);
  }
}
