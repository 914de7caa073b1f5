package dev.graft.match;

import dev.graft.adapter.Replacement;
import dev.graft.match.BoundTarget.Rows;
import dev.graft.match.Miss.Cause;
import dev.graft.match.TieFinder.Tie;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * Ties as they were while the adapter was active. PEFT keeps the rows of a token table tied, and
 * with {@code ensure_weight_tying} what it knows by the names {@code embed_tokens} and {@code
 * lm_head}. It saves what both halves have; where the adapter speaks of both, each gets its own.
 */
final class ActiveTies implements TieRule {

  private static final Set<String> TIED_NAMES = Set.of("embed_tokens", "lm_head");

  private final TieFinder finder;
  private final boolean ensured;

  /**
   * Prepares to look for ties.
   *
   * @param ensured whether {@code ensure_weight_tying} is set
   */
  ActiveTies(TieFinder finder, boolean ensured) {
    this.finder = finder;
    this.ensured = ensured;
  }

  @Override
  public Extended extend(List<BoundTarget> bound) {
    List<BoundTarget> extended = new ArrayList<>();
    List<Miss> misses = new ArrayList<>();
    for (BoundTarget target : bound) {
      if (!mayStayTied(target)) {
        extended.add(target);
        continue;
      }
      Tie tie = finder.of(target);
      if (target instanceof Rows && !tie.isOfTable()) {
        extended.add(target);
        continue;
      }
      Optional<Miss> problem = tie.doubt().or(() -> mixed(target, tie, bound));
      if (problem.isPresent()) {
        misses.add(problem.get());
      } else if (!tie.isTied() || claimant(target, tie, bound).isPresent()) {
        extended.add(target);
      } else {
        extended.add(
            tie.same().isEmpty() ? target : target.on(Halves.widened(target.place(), tie.same())));
        if (!tie.apart().isEmpty()) {
          extended.add(Halves.onOther(target, tie.apart()));
        }
      }
    }
    return new Extended(extended, misses, Set.of());
  }

  private boolean mayStayTied(BoundTarget target) {
    return switch (target) {
      case Rows rows -> true;
      case BoundTarget.Experts experts -> false;
      case BoundTarget.Shift shift -> false;
      case BoundTarget.Lora lora -> ensured && TIED_NAMES.contains(last(lora.name()));
      case BoundTarget.Whole whole ->
          ensured
              && whole.replacement().origin() == Replacement.Origin.MODULES_TO_SAVE
              && whole.name().endsWith(".weight")
              && TIED_NAMES.contains(last(whole.name().substring(0, whole.name().length() - 7)));
    };
  }

  /** Another target of the adapter that has the other half. */
  private static Optional<BoundTarget> claimant(
      BoundTarget target, Tie tie, List<BoundTarget> bound) {
    Set<Reading> others = new HashSet<>();
    tie.others().forEach(s -> others.add(s.reading()));
    return bound.stream()
        .filter(b -> !b.equals(target))
        .filter(b ->
            b.place().spots().stream()
                .flatMap(s -> s.readers().stream())
                .anyMatch(others::contains))
        .findFirst();
  }

  private static Optional<Miss> mixed(BoundTarget target, Tie tie, List<BoundTarget> bound) {
    return target instanceof Rows && tie.isTied()
        ? claimant(target, tie, bound)
            .filter(other -> !(other instanceof Rows))
            .map(other ->
                new Miss(
                    target.name(),
                    "its table is tied to '%s', which the adapter changes in another way; PEFT does not say what the two make together"
                        .formatted(other.name()),
                    List.of(),
                    Cause.UNSUPPORTED))
        : Optional.empty();
  }

  private static String last(String module) {
    return module.substring(module.lastIndexOf('.') + 1);
  }
}
