package dev.graft.match;

import dev.graft.adapter.AdapterTarget;
import dev.graft.adapter.LoraPair;
import dev.graft.adapter.Scaling;
import dev.graft.match.BoundTarget.Experts;
import dev.graft.match.BoundTarget.Parameter;
import dev.graft.match.BoundTarget.Place;
import dev.graft.match.ExpertAssignment.Outcome;
import dev.graft.match.ExpertAssignment.Way;
import dev.graft.match.ExpertWeights.Weight;
import dev.graft.match.Miss.Cause;
import dev.graft.onnx.StoredTensor;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeSet;

/** Binds pairs for parameters that were targeted directly ({@code target_parameters}). */
final class ExpertBinder {

  private static final Outcome NONE = new Outcome(Optional.empty(), Optional.empty());

  private final ExpertWeights weights;
  private final Collected collected;
  private final Map<String, List<LoraPair>> byModule = new HashMap<>();
  private final Map<String, Map<LoraPair, Outcome>> decided = new HashMap<>();

  /**
   * Prepares to bind.
   *
   * @param targets everything that the adapter holds, since the pairs of one module have to be seen
   *     together
   */
  ExpertBinder(ExpertWeights weights, List<AdapterTarget> targets, Collected collected) {
    this.weights = weights;
    this.collected = collected;
    for (AdapterTarget target : targets) {
      if (target instanceof LoraPair pair && pair.kind() == LoraPair.Kind.PARAMETER) {
        byModule.computeIfAbsent(pair.module(), m -> new ArrayList<>()).add(pair);
      }
    }
  }

  /**
   * Binds a pair or notes why not.
   *
   * @param pair the adapter's tensors
   * @param name the file's name for its module
   */
  void bind(LoraPair pair, String name) {
    Outcome outcome =
        decided.computeIfAbsent(pair.module(), m -> decide(m, name)).getOrDefault(pair, NONE);
    outcome.miss().ifPresent(m -> collected.miss(m.name(), m.cause(), m.reason()));
    outcome.way().ifPresent(way -> add(pair, way));
  }

  private Map<LoraPair, Outcome> decide(String module, String name) {
    List<LoraPair> pairs = byModule.getOrDefault(module, List.of());
    TreeSet<String> parameters = new TreeSet<>();
    pairs.forEach(p -> parameters.addAll(p.parameters().candidates()));
    List<Weight> found = weights.of(name, List.copyOf(parameters));
    return ExpertAssignment.of(pairs, found);
  }

  private void add(LoraPair pair, Way way) {
    StoredTensor tensor = way.weight().tensor();
    if (!tensor.dtype().isFoldable()) {
      collected.miss(
          pair.module(),
          Cause.UNSUPPORTED,
          "'%s' has the element type %s; Graft folds into float32, float16 and bfloat16"
              .formatted(tensor.label(), tensor.dtype()));
      return;
    }
    List<String> parameters = ExpertAssignment.parameters(pair, way.weight());
    List<Scaling> scalings =
        parameters.stream()
            .flatMap(name -> Optional.ofNullable(pair.parameters().scalings().get(name)).stream())
            .distinct()
            .toList();
    if (scalings.size() != 1) {
      collected.miss(
          pair.module(),
          Cause.UNSUPPORTED,
          "'%s' may be any of %s, which have different strengths by the configuration; give them the same rank and alpha"
              .formatted(tensor.label(), parameters));
      return;
    }
    Place place = Place.whole(way.weight().origin().rule(), way.weight().spots());
    Parameter parameter = new Parameter(String.join(" or ", parameters), scalings.getFirst());
    collected.add(new Experts(pair, parameter, place, way.layout()));
  }
}
