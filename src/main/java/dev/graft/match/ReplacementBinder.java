package dev.graft.match;

import dev.graft.adapter.Replacement;
import dev.graft.adapter.Replacement.Origin;
import dev.graft.match.BoundTarget.Place;
import dev.graft.match.BoundTarget.Whole;
import dev.graft.match.Miss.Cause;
import dev.graft.match.PackedParameters.Share;
import dev.graft.match.ParameterResolver.Needed;
import dev.graft.match.ParameterResolver.Sizing;
import dev.graft.match.ParameterResolver.Wanted;
import java.util.List;
import java.util.Optional;

/** Binds whole parameters: heads, norms and biases that the adapter saved. */
final class ReplacementBinder {

  private final SiteIndex index;
  private final ParameterResolver parameters;
  private final PackedParameters packed;
  private final Collected collected;

  ReplacementBinder(
      SiteIndex index, ParameterResolver parameters, PackedParameters packed, Collected collected) {
    this.index = index;
    this.parameters = parameters;
    this.packed = packed;
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
    Wanted wanted = new Wanted(whole.parameter(), name, mapped, needed);
    List<Share> shares = shares(wanted);
    if (!shares.isEmpty() && isFloat(whole)) {
      shares.forEach(share -> bind(whole, share));
    }
  }

  /** The tensors that hold the parameter; if there are none, the miss is noted. */
  private List<Share> shares(Wanted wanted) {
    PackedParameters.Answer answer =
        parameters.hasNamed(wanted) ? PackedParameters.Answer.NOTHING : packed.find(wanted);
    if (answer.problem().isPresent()) {
      Miss problem = answer.problem().get();
      collected.miss(wanted.parameter(), problem.cause(), problem.reason());
      return List.of();
    }
    if (!answer.shares().isEmpty()) {
      return answer.shares();
    }
    ParameterResolver.Outcome outcome = parameters.find(wanted);
    boolean proved = outcome.found().isPresent() || outcome.gap().isPresent();
    if (!proved || !outcome.problem().isEmpty()) {
      String problem =
          outcome.cause() == Cause.ABSENT
              ? outcome.problem() + PackedResolver.lookedFor(wanted.module(wanted.name()))
              : outcome.problem();
      collected.missNamed(
          new Miss(wanted.parameter(), problem, List.of(), outcome.cause()),
          wanted.name(),
          index.parameterNames());
      return List.of();
    }
    return List.of(Share.whole(outcome));
  }

  private boolean isFloat(Replacement whole) {
    if (whole.value().dtype().isFoldable()) {
      return true;
    }
    collected.miss(
        whole.parameter(),
        Cause.UNSUPPORTED,
        "the adapter's tensor has the element type %s; save it as float32, float16 or bfloat16"
            .formatted(whole.value().dtype()));
    return false;
  }

  private void bind(Replacement whole, Share share) {
    if (share.outcome().gap().isPresent()) {
      Gap gap = share.outcome().gap().get();
      if (isPlain(whole, gap.factor(), gap.openings().getFirst().node().toString())) {
        Place place = Place.missing(NameRule.BIAS_OF_SITE, gap);
        collected.add(new Whole(whole, share.ofValue(), place, Turn.AS_IS));
      }
    }
    share.outcome().found().ifPresent(found -> bind(whole, found, share));
  }

  /** A head and a table may have another size than the base's; a bias belongs to what is there. */
  private static Sizing sizing(Replacement whole) {
    return whole.origin() == Origin.BIAS ? Sizing.AS_IN_FILE : Sizing.ITS_OWN;
  }

  private void bind(Replacement whole, ParameterResolver.Found found, Share share) {
    boolean isBeside = share.outcome().cause() == Cause.QUANTISED;
    if (!found.tensor().dtype().isFoldable() && !isBeside) {
      collected.miss(
          whole.parameter(),
          Cause.UNSUPPORTED,
          "'%s' has the element type %s; Graft replaces float32, float16 and bfloat16"
              .formatted(found.tensor().label(), found.tensor().dtype()));
    } else if (isPlain(whole, found.factor(), "'" + found.tensor().label() + "'")) {
      NameRule rule = share.rule().orElse(found.rule());
      Place place = new Place(rule, found.spots(), share.ofTensor());
      collected.add(new Whole(whole, share.ofValue(), place, found.turn()));
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
