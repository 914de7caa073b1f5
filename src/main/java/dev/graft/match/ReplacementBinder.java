package dev.graft.match;

import dev.graft.adapter.Replacement;
import dev.graft.adapter.Replacement.Origin;
import dev.graft.match.BoundTarget.Place;
import dev.graft.match.BoundTarget.Whole;
import dev.graft.match.Miss.Cause;
import dev.graft.match.ParameterResolver.Needed;
import dev.graft.match.ParameterResolver.Sizing;
import dev.graft.match.ParameterResolver.Wanted;
import java.util.List;
import java.util.Optional;

/** Binds whole parameters: heads, norms and biases that the adapter saved. */
final class ReplacementBinder {

  private final SiteIndex index;
  private final ParameterResolver parameters;
  private final Collected collected;

  ReplacementBinder(SiteIndex index, ParameterResolver parameters, Collected collected) {
    this.index = index;
    this.parameters = parameters;
    this.collected = collected;
  }

  /**
   * Binds a parameter or notes why not.
   *
   * @param whole the adapter's tensor
   * @param name the file's name for the parameter
   * @param mapped what the map file joins it to
   */
  void bind(Replacement whole, String name, Optional<String> mapped) {
    Needed needed = new Needed(whole.value().shape(), sizing(whole));
    ParameterResolver.Outcome outcome =
        parameters.find(new Wanted(whole.parameter(), name, mapped, needed));
    boolean proved = outcome.found().isPresent() || outcome.gap().isPresent();
    if (!proved || !outcome.problem().isEmpty()) {
      collected.missNamed(
          new Miss(whole.parameter(), outcome.problem(), List.of(), outcome.cause()),
          name,
          index.parameterNames());
      return;
    }
    if (!whole.value().dtype().isFoldable()) {
      collected.miss(
          whole.parameter(),
          Cause.UNSUPPORTED,
          "the adapter's tensor has the element type %s; save it as float32, float16 or bfloat16"
              .formatted(whole.value().dtype()));
      return;
    }
    if (outcome.gap().isPresent()) {
      bind(whole, outcome.gap().get());
    }
    outcome.found().ifPresent(found -> bind(whole, found));
  }

  /** A head and a table may have another size than the base's; a bias belongs to what is there. */
  private static Sizing sizing(Replacement whole) {
    return whole.origin() == Origin.BIAS ? Sizing.AS_IN_FILE : Sizing.ITS_OWN;
  }

  private void bind(Replacement whole, Gap gap) {
    if (isPlain(whole, gap.factor(), gap.openings().getFirst().node().toString())) {
      collected.add(new Whole(whole, Place.missing(NameRule.BIAS_OF_SITE, gap), Turn.AS_IS));
    }
  }

  private void bind(Replacement whole, ParameterResolver.Found found) {
    if (!found.tensor().dtype().isFoldable()) {
      collected.miss(
          whole.parameter(),
          Cause.UNSUPPORTED,
          "'%s' has the element type %s; Graft replaces float32, float16 and bfloat16"
              .formatted(found.tensor().label(), found.tensor().dtype()));
    } else if (isPlain(whole, found.factor(), "'" + found.tensor().label() + "'")) {
      collected.add(new Whole(whole, Place.whole(found.rule(), found.spots()), found.turn()));
    }
  }

  /** Whether the operator takes the parameter as it is. */
  private boolean isPlain(Replacement whole, float factor, String place) {
    if (factor == 1) {
      return true;
    }
    collected.miss(
        whole.parameter(),
        Cause.UNSUPPORTED,
        "%s is multiplied with alpha or beta %s, so what the file holds is not the parameter itself"
            .formatted(place, factor));
    return false;
  }
}
