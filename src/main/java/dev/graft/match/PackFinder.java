package dev.graft.match;

import dev.graft.graph.Value;
import dev.graft.match.AttentionRoles.Role;
import dev.graft.match.Miss.Cause;
import dev.graft.match.ModuleResolver.Found;
import dev.graft.match.PackedAnswer.Piece;
import dev.graft.match.PackedNames.Kind;
import dev.graft.match.PackedNames.Pack;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;

/**
 * Finds a module that packs others where the file calls it otherwise or splits it over its parts:
 * {@code gate_up_proj} over {@code gate_proj} and {@code up_proj}.
 */
final class PackFinder {

  private final PackLookup lookup;
  private final AttentionRoles roles;

  PackFinder(PackLookup lookup, AttentionRoles roles) {
    this.lookup = lookup;
    this.roles = roles;
  }

  PackedAnswer find(String name, Pack pack, long outputs) {
    PackedAnswer problem = PackedAnswer.NOTHING;
    for (String other : pack.others()) {
      Found found = lookup.linear(other);
      if (!found.sites().isEmpty()) {
        return PackedAnswer.of(Piece.whole(other, found, NameRule.PACKED));
      }
      problem = problem.or(PackedAnswer.problem(name, found));
    }
    return problem
        .or(pack.kind() == Kind.QKV ? attention(name, pack, outputs) : PackedAnswer.NOTHING)
        .or(named(name, pack, outputs));
  }

  private PackedAnswer attention(String name, Pack pack, long outputs) {
    Found attention = lookup.attention(pack.parent());
    return attention.sites().isEmpty()
        ? PackedAnswer.problem(name, attention).or(projection(name, pack, outputs))
        : PackedAnswer.of(Piece.whole(pack.parent(), attention, NameRule.ATTENTION));
  }

  private PackedAnswer named(String name, Pack pack, long outputs) {
    for (List<String> family : pack.parts()) {
      List<PackedWeight> parts =
          family.stream().map(part -> new PackedWeight(part, lookup.linear(part))).toList();
      if (parts.stream().anyMatch(p -> !p.found().sites().isEmpty())) {
        return parts(name, parts, outputs);
      }
    }
    return PackedAnswer.NOTHING;
  }

  private PackedAnswer parts(String name, List<PackedWeight> parts, long outputs) {
    List<Piece> pieces = new ArrayList<>();
    long from = 0;
    for (PackedWeight part : parts) {
      if (part.found().sites().isEmpty()) {
        return PackedAnswer.refused(
            name,
            Cause.NO_FIT,
            "the file has some of its parts, but not '%s': %s"
                .formatted(part.name(), part.found().problem()));
      }
      if (!lookup.isPlain(part) || part.outputs() == 0) {
        return PackedAnswer.of(Piece.whole(part.name(), part.found(), NameRule.SPLIT));
      }
      OutputRange range = new OutputRange(from, part.outputs());
      pieces.add(new Piece(part.name(), part.found(), OutputRange.ALL, range, NameRule.SPLIT));
      from += part.outputs();
    }
    return from == outputs
        ? PackedAnswer.of(pieces)
        : PackedAnswer.refused(
            name,
            Cause.NO_FIT,
            "the adapter gives it %d outputs, but its parts in the file have %s, %d together"
                .formatted(outputs, parts.stream().map(PackedWeight::outputs).toList(), from));
  }

  /**
   * The projection of an {@code nn.MultiheadAttention}, whose weights have no names of their own:
   * one for all three, or three that are told apart by what becomes of their products.
   */
  private PackedAnswer projection(String name, Pack pack, long outputs) {
    String module = pack.parent();
    List<Site> sites = lookup.anonymousIn(module);
    List<Site> packed = sites.stream().filter(s -> PackedWeight.outputs(s) == outputs).toList();
    if (!packed.isEmpty()) {
      NameRule rule = packed.getFirst().ruleFor(module);
      Found found = lookup.joined(packed, List.of(module), rule);
      return found.sites().isEmpty()
          ? PackedAnswer.problem(name, found)
          : PackedAnswer.of(Piece.whole(module, found, rule));
    }
    Map<Role, List<Site>> byRole = new EnumMap<>(Role.class);
    for (Site site : sites) {
      if (PackedWeight.outputs(site) * Role.values().length == outputs) {
        site.node()
            .output()
            .flatMap(o -> roles.of(new Value(site.node().scope(), o)))
            .ifPresent(r -> byRole.computeIfAbsent(r, k -> new ArrayList<>()).add(site));
      }
    }
    return byRole.size() < Role.values().length
        ? PackedAnswer.NOTHING
        : parts(
            name,
            byRole.values().stream()
                .map(s -> new PackedWeight(module, lookup.joined(s, List.of(), NameRule.SPLIT)))
                .toList(),
            outputs);
  }
}
