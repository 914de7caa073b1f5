package dev.graft.match;

import dev.graft.adapter.LoraPair;
import dev.graft.match.BoundTarget.Place;
import dev.graft.match.BoundTarget.Shift;
import dev.graft.match.Miss.Cause;
import dev.graft.match.PackedAnswer.Piece;
import dev.graft.match.ParameterResolver.Needed;
import dev.graft.match.ParameterResolver.Outcome;
import dev.graft.match.ParameterResolver.Sizing;
import dev.graft.match.ParameterResolver.Wanted;
import dev.graft.safetensors.SafetensorsTensor;
import dev.graft.tensor.Shape;
import java.util.Optional;

/**
 * Binds what {@code lora_bias} adds. It goes onto the module's bias, or right behind its product
 * where the graph has no bias there: a sum does not ask where its parts are added.
 */
final class ShiftBinder {

  private final ParameterResolver parameters;
  private final NameMap map;
  private final Collected collected;

  ShiftBinder(ParameterResolver parameters, NameMap map, Collected collected) {
    this.parameters = parameters;
    this.map = map;
    this.collected = collected;
  }

  /**
   * Binds the bias of a pair's B or notes why not.
   *
   * @param pair the adapter's tensors
   * @param bias the bias of its B
   * @param piece where the pair itself goes
   */
  void bind(LoraPair pair, SafetensorsTensor bias, Piece piece) {
    String parameter = Shift.biasOf(pair);
    String name = piece.name().isEmpty() ? "bias" : piece.name() + ".bias";
    Needed needed = new Needed(Shape.of(length(bias, piece)), Sizing.AS_IN_FILE);
    Outcome outcome =
        parameters.bias(
            piece.found(), new Wanted(parameter, name, map.target(pair.module()), needed));
    if (outcome.found().isPresent()) {
      bind(pair, piece, outcome.found().get());
    } else if (outcome.gap().isPresent() && piece.ofWeight().isAll()) {
      Gap gap = outcome.gap().get();
      Place place = Place.missing(NameRule.BIAS_OF_SITE, gap);
      collected.add(new Shift(pair, piece.ofModule(), place, gap.factor()));
    } else if (outcome.gap().isPresent()) {
      collected.miss(
          parameter,
          Cause.UNSUPPORTED,
          "lora_bias: the graph adds no bias to '%s', which packs it with others"
              .formatted(piece.found().first().tensor().label()));
    } else {
      collected.miss(parameter, outcome.cause(), "lora_bias: " + outcome.problem());
    }
  }

  /** How many values the bias of the whole weight has. */
  private static long length(SafetensorsTensor bias, Piece piece) {
    return piece.ofWeight().isAll()
        ? piece.ofModule().countOf(bias.shape().elements())
        : PackedWeight.outputs(piece.found().first());
  }

  private void bind(LoraPair pair, Piece piece, ParameterResolver.Found found) {
    Optional<String> problem = problem(found);
    if (problem.isPresent()) {
      collected.miss(Shift.biasOf(pair), Cause.UNSUPPORTED, problem.get());
      return;
    }
    Place place = new Place(found.rule(), found.spots(), piece.ofWeight());
    collected.add(new Shift(pair, piece.ofModule(), place, found.factor()));
  }

  private static Optional<String> problem(ParameterResolver.Found found) {
    if (!found.tensor().dtype().isFoldable()) {
      return Optional.of(
          "'%s' has the element type %s; Graft folds into float32, float16 and bfloat16"
              .formatted(found.tensor().label(), found.tensor().dtype()));
    }
    return found.factor() == 0 || !Float.isFinite(found.factor())
        ? Optional.of("its operator has beta " + found.factor() + ", so no bias acts")
        : Optional.empty();
  }
}
