package dev.graft.match;

import dev.graft.adapter.Replacement;
import dev.graft.match.BoundTarget.Place;
import dev.graft.match.BoundTarget.Whole;
import dev.graft.match.Miss.Cause;
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
    ParameterResolver.Outcome outcome =
        parameters.find(new Wanted(whole.parameter(), name, mapped, whole.value().shape()));
    if (outcome.found().isEmpty()) {
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
    ParameterResolver.Found found = outcome.found().get();
    if (!found.tensor().dtype().isFoldable()) {
      collected.miss(
          whole.parameter(),
          Cause.UNSUPPORTED,
          "'%s' has the element type %s; Graft replaces float32, float16 and bfloat16"
              .formatted(found.tensor().label(), found.tensor().dtype()));
      return;
    }
    collected.add(new Whole(whole, Place.whole(found.rule(), found.spots()), found.turn()));
  }
}
