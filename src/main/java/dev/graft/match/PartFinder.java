package dev.graft.match;

import dev.graft.match.Cut.Finding;
import dev.graft.match.Miss.Cause;
import dev.graft.match.ModuleResolver.Found;
import dev.graft.match.PackedAnswer.Piece;
import dev.graft.match.PackedNames.Kind;
import dev.graft.match.PackedNames.Part;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Finds a module in the weight that the file packs it into: {@code q_proj} in {@code qkv_proj}. */
final class PartFinder {

  private final PackLookup lookup;
  private final CutReader cuts;
  private final Map<String, Long> outputsOfAdapter;

  PartFinder(PackLookup lookup, CutReader cuts, Map<String, Long> outputsOfAdapter) {
    this.lookup = lookup;
    this.cuts = cuts;
    this.outputsOfAdapter = Map.copyOf(outputsOfAdapter);
  }

  /** What is looked for. */
  private record Wanted(String name, Part part, long outputs) {
    PackedAnswer refused(Cause cause, String reason) {
      return PackedAnswer.refused(name, cause, reason);
    }
  }

  PackedAnswer find(String name, Part part, long outputs) {
    Wanted wanted = new Wanted(name, part, outputs);
    PackedAnswer problem = PackedAnswer.NOTHING;
    for (String pack : part.packs()) {
      Found found = lookup.linear(pack);
      if (!found.sites().isEmpty()) {
        return in(new PackedWeight(pack, found), wanted);
      }
      problem = problem.or(PackedAnswer.problem(name, found));
    }
    if (part.kind() == Kind.QKV) {
      Found attention = lookup.attention(part.parent());
      if (!attention.sites().isEmpty()) {
        return in(new PackedWeight(part.parent(), attention), wanted);
      }
      problem = problem.or(PackedAnswer.problem(name, attention));
    }
    return problem.or(perHead(wanted));
  }

  private PackedAnswer perHead(Wanted wanted) {
    return wanted
        .part()
        .perHead()
        .filter(pack -> !lookup.linear(pack).sites().isEmpty())
        .map(pack ->
            wanted.refused(
                Cause.UNSUPPORTED,
                "the file packs it into '%s', which holds query, key and value interleaved head by head, not in blocks; train the adapter on query_key_value itself"
                    .formatted(pack)))
        .orElse(PackedAnswer.NOTHING);
  }

  private PackedAnswer in(PackedWeight pack, Wanted wanted) {
    if (!lookup.isPlain(pack)) {
      return PackedAnswer.of(Piece.whole(pack.name(), pack.found(), NameRule.PACKED));
    }
    return switch (cuts.read(pack.found().sites(), wanted.part().kind())) {
      case Finding.Known(Cut cut) -> piece(pack, cut, wanted);
      case Finding.Open(String reason) ->
          fromAdapter(wanted.part(), pack.outputs())
              .map(cut -> piece(pack, cut, wanted))
              .orElseGet(() ->
                  wanted.refused(
                      Cause.UNSUPPORTED,
                      "it is packed into %s, but %s, and the adapter's other tensors do not add up to its %d outputs"
                          .formatted(pack.label(), reason, pack.outputs())));
      case Finding.Refused(String reason) ->
          wanted.refused(
              Cause.UNSUPPORTED, "it is packed into %s, but %s".formatted(pack.label(), reason));
    };
  }

  private static PackedAnswer piece(PackedWeight pack, Cut cut, Wanted wanted) {
    OutputRange range = cut.part(wanted.part().position());
    if (range.count() != wanted.outputs()) {
      return wanted.refused(
          Cause.NO_FIT,
          "the adapter gives it %d outputs, but %s holds %s of %s"
              .formatted(wanted.outputs(), pack.label(), wanted.part().kind().label(), cut));
    }
    return PackedAnswer.of(
        new Piece(pack.name(), pack.found(), range, OutputRange.ALL, NameRule.PACKED));
  }

  /**
   * The parts' widths by the adapter itself: at least two of query, key and value, the last two
   * being of one width, or one half of gate and up. They have to add up to the weight's outputs.
   */
  private Optional<Cut> fromAdapter(Part part, long total) {
    List<Optional<Long>> known =
        part.siblings().stream().map(s -> Optional.ofNullable(outputsOfAdapter.get(s))).toList();
    List<Long> widths = new ArrayList<>();
    if (part.kind() == Kind.GATE_UP) {
      known.get(0).or(() -> known.get(1)).ifPresent(h -> widths.addAll(List.of(h, h)));
    } else if (known.get(0).isPresent()) {
      known
          .get(1)
          .or(() -> known.get(2))
          .ifPresent(k -> widths.addAll(List.of(known.get(0).get(), k, k)));
    }
    Cut cut = new Cut(widths, "the adapter's own tensors");
    return !widths.isEmpty() && cut.total() == total ? Optional.of(cut) : Optional.empty();
  }
}
