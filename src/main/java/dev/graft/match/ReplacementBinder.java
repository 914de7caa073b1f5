package dev.graft.match;

import dev.graft.adapter.Replacement;
import dev.graft.match.BoundTarget.Place;
import dev.graft.match.BoundTarget.Whole;
import dev.graft.match.Miss.Cause;
import dev.graft.match.PackedParameters.Share;
import dev.graft.match.ParameterResolver.Wanted;
import dev.graft.onnx.StoredTensor;
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
    Wanted wanted = new Wanted(whole.parameter(), name, mapped, whole.value().shape());
    List<Share> shares = shares(whole, wanted);
    if (shares.isEmpty() || !isFloat(whole)) {
      return;
    }
    Optional<StoredTensor> strange =
        shares.stream()
            .map(s -> s.found().tensor())
            .filter(t -> !t.dtype().isFoldable())
            .findFirst();
    if (strange.isPresent()) {
      collected.miss(
          whole.parameter(),
          Cause.UNSUPPORTED,
          "'%s' has the element type %s; Graft replaces float32, float16 and bfloat16"
              .formatted(strange.get().label(), strange.get().dtype()));
      return;
    }
    for (Share share : shares) {
      Place place = new Place(share.rule(), share.found().spots(), share.ofTensor());
      collected.add(new Whole(whole, share.ofValue(), place, share.found().turn()));
    }
  }

  /** The tensors that hold the parameter; if there are none, the miss is noted. */
  private List<Share> shares(Replacement whole, Wanted wanted) {
    if (!parameters.hasNamed(wanted)) {
      PackedParameters.Answer answer = packed.find(wanted);
      if (answer.problem().isPresent()) {
        Miss problem = answer.problem().get();
        collected.miss(whole.parameter(), problem.cause(), problem.reason());
        return List.of();
      }
      if (!answer.shares().isEmpty()) {
        return answer.shares();
      }
    }
    ParameterResolver.Outcome outcome = parameters.find(wanted);
    if (outcome.found().isEmpty()) {
      String module = wanted.module(wanted.name());
      String problem =
          outcome.problem()
              + (outcome.cause() == Cause.ABSENT ? PackedResolver.lookedFor(module) : "");
      collected.missNamed(
          new Miss(whole.parameter(), problem, List.of(), outcome.cause()),
          wanted.name(),
          index.parameterNames());
      return List.of();
    }
    return List.of(Share.whole(outcome.found().get()));
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
}
