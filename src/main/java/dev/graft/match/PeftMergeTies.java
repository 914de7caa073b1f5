package dev.graft.match;

import dev.graft.match.BoundTarget.Whole;
import dev.graft.match.TieFinder.Tie;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * Ties as PEFT's merge leaves them. It writes each change into the weight that both halves share,
 * the embedding's first, so that both halves get both, one on top of the other. A module that the
 * adapter saved whole takes the other's place and shares nothing any more.
 */
final class PeftMergeTies implements TieRule {

  private final TieFinder finder;

  PeftMergeTies(TieFinder finder) {
    this.finder = finder;
  }

  /** A target with its tie. */
  private record Half(BoundTarget target, Tie tie) {}

  @Override
  public Extended extend(List<BoundTarget> bound) {
    List<BoundTarget> extended = new ArrayList<>();
    List<Miss> misses = new ArrayList<>();
    Set<Reading> stacked = new HashSet<>();
    List<Half> waiting = new ArrayList<>();
    Set<Reading> replaced = new HashSet<>();
    bound.stream().filter(Whole.class::isInstance).forEach(b -> replaced.addAll(readers(b)));
    for (BoundTarget target : bound) {
      Tie tie = finder.of(target);
      boolean mayShare =
          !(target instanceof Whole)
              && tie.others().stream().noneMatch(s -> replaced.contains(s.reading()));
      if (mayShare && tie.doubt().isPresent()) {
        misses.add(tie.doubt().get());
      } else if (mayShare && tie.isTied()) {
        waiting.add(new Half(target, tie));
      } else {
        extended.add(target);
      }
    }
    // Modules are merged in their order in the network, in which the table comes first.
    waiting.sort((a, b) -> Boolean.compare(b.tie().isOfTable(), a.tie().isOfTable()));
    waiting.forEach(half -> place(half, extended, stacked));
    return new Extended(extended, misses, stacked);
  }

  private static void place(Half half, List<BoundTarget> extended, Set<Reading> stacked) {
    Tie tie = half.tie();
    BoundTarget own = half.target().on(Halves.widened(half.target().place(), tie.same()));
    List<BoundTarget> both = new ArrayList<>(List.of(own));
    if (!tie.apart().isEmpty()) {
      both.add(Halves.onOther(half.target(), tie.apart()));
    }
    both.forEach(b -> stacked.addAll(readers(b)));
    extended.addAll(both);
  }

  private static List<Reading> readers(BoundTarget target) {
    return target.place().spots().stream().flatMap(s -> s.readers().stream()).toList();
  }
}
