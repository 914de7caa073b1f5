package dev.graft.match;

import dev.graft.adapter.LoraPair;
import dev.graft.match.ExpertWeights.Origin;
import dev.graft.match.ExpertWeights.Weight;
import dev.graft.match.Miss.Cause;
import dev.graft.tensor.Shape;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Decides which of a module's parameters each pair is for, and which way round.
 *
 * <p>The adapter says neither. Shapes decide nearly always. Where they leave several ways, the
 * products decide that read the weights: PEFT calls the axis that they sum over the inputs, unless
 * the module keeps its weights {@code [experts, in, out]} without saying so by its attribute {@code
 * is_transposed}. Which of the two a module is shows in those of its pairs that fit one way only.
 * What is left then is held against the nesting of the pairs, the innermost being for the parameter
 * that the module declares first.
 */
final class ExpertAssignment {

  private final List<LoraPair> pairs;
  private final List<Weight> weights;
  private final Map<LoraPair, Way> chosen = new LinkedHashMap<>();
  private final Map<LoraPair, Miss> misses = new HashMap<>();

  private ExpertAssignment(List<LoraPair> pairs, List<Weight> weights) {
    this.pairs = pairs;
    this.weights = weights;
  }

  /**
   * A weight for a pair.
   *
   * @param weight the weight
   * @param layout how it is turned, the experts left out
   */
  record Way(Weight weight, Layout layout) {
    /** Whether the axis that the products sum over is the one of the pair's inputs. */
    boolean isAsRead() {
      return weight.contraction().filter(c -> c == layout).isPresent();
    }
  }

  /** Either a way for a pair or why there is none. */
  record Outcome(Optional<Way> way, Optional<Miss> miss) {}

  /** Decides for all pairs of one module. */
  static Map<LoraPair, Outcome> of(List<LoraPair> pairs, List<Weight> weights) {
    ExpertAssignment assignment = new ExpertAssignment(pairs, weights);
    assignment.decide();
    Map<LoraPair, Outcome> outcomes = new HashMap<>();
    for (LoraPair pair : pairs) {
      outcomes.put(
          pair,
          new Outcome(
              Optional.ofNullable(assignment.chosen.get(pair)),
              Optional.ofNullable(assignment.misses.get(pair))));
    }
    return outcomes;
  }

  private void decide() {
    Map<LoraPair, List<Way>> open = new LinkedHashMap<>();
    Set<Boolean> evidence = new HashSet<>();
    for (LoraPair pair : pairs) {
      List<Way> ways = ways(pair);
      if (ways.isEmpty()) {
        misses.put(pair, misfit(pair));
      } else if (ways.size() == 1) {
        chosen.put(pair, ways.getFirst());
        if (ways.getFirst().weight().contraction().isPresent()) {
          evidence.add(ways.getFirst().isAsRead());
        }
      } else {
        open.put(pair, ways);
      }
    }
    boolean asRead = !evidence.equals(Set.of(false));
    if (evidence.size() > 1 && !open.isEmpty()) {
      open.forEach((pair, ways) -> misses.put(pair, doubt(pair, ways)));
      return;
    }
    open.forEach((pair, ways) -> choose(pair, ways, asRead));
    requireApart();
    boolean assumed = evidence.isEmpty() && !open.isEmpty();
    if (assumed && misses.isEmpty() && !isInOrder()) {
      open.forEach((pair, ways) -> {
        chosen.remove(pair);
        misses.put(pair, doubt(pair, ways));
      });
    }
  }

  private void choose(LoraPair pair, List<Way> ways, boolean asRead) {
    List<Way> left = ways.stream().filter(w -> w.isAsRead() == asRead).toList();
    if (left.size() == 1 && ((asRead && !isUnsaid(left.getFirst(), ways)) || hasEvidence())) {
      chosen.put(pair, left.getFirst());
    } else {
      misses.put(pair, doubt(pair, ways));
    }
  }

  /** Whether some other pair of the module showed which way round it is read. */
  private boolean hasEvidence() {
    return chosen.entrySet().stream()
        .anyMatch(
            e -> ways(e.getKey()).size() == 1 && e.getValue().weight().contraction().isPresent());
  }

  /**
   * Whether a square weight is one that the module keeps {@code [in, out]}: then it depends on an
   * attribute that no file holds which axis PEFT took for the inputs.
   */
  private static boolean isUnsaid(Way way, List<Way> ways) {
    boolean square = ways.stream().allMatch(w -> w.weight().equals(way.weight()));
    return square && way.layout() == Layout.IN_OUT && way.weight().origin() != Origin.ANONYMOUS;
  }

  private List<Way> ways(LoraPair pair) {
    List<Way> ways = new ArrayList<>();
    for (Weight weight : weights) {
      for (Layout layout : Layout.values()) {
        if (fits(pair, weight, layout)) {
          ways.add(new Way(weight, layout));
        }
      }
    }
    return ways;
  }

  /** The parameters that a weight may be for a pair, by their names and ranks. */
  static List<String> parameters(LoraPair pair, Weight weight) {
    Shape shape = weight.tensor().shape();
    return pair.parametersFor(shape.rank() == 3 ? shape.dim(0) : 1).stream()
        .filter(name -> weight.parameter().map(name::equals).orElse(true))
        .toList();
  }

  private static boolean fits(LoraPair pair, Weight weight, Layout layout) {
    Shape shape = weight.tensor().shape();
    long experts = shape.rank() == 3 ? shape.dim(0) : 1;
    if (shape.rank() < 2 || shape.rank() > 3 || parameters(pair, weight).isEmpty()) {
      return false;
    }
    // PEFT adds B·A to a single expert's parameter as it is.
    boolean asPytorch = weight.origin() == Origin.PARAMETER;
    if (experts == 1 && asPytorch && layout == Layout.IN_OUT) {
      return false;
    }
    long first = shape.dim(shape.rank() - 2);
    long last = shape.dim(shape.rank() - 1);
    long in = pair.a().shape().dim(1);
    long out = pair.b().shape().dim(0);
    return layout == Layout.OUT_IN ? first == out && last == in : first == in && last == out;
  }

  /** No weight is for two pairs. */
  private void requireApart() {
    Set<Weight> taken = new HashSet<>();
    for (LoraPair pair : pairs) {
      Way way = chosen.get(pair);
      if (way != null && !taken.add(way.weight())) {
        chosen.remove(pair);
        misses.put(pair, doubt(pair, List.of(way)));
      }
    }
  }

  private boolean isInOrder() {
    List<LoraPair> nested =
        chosen.keySet().stream()
            .sorted(Comparator.comparingInt((LoraPair p) -> -p.parameters().depth()))
            .toList();
    int last = -1;
    for (LoraPair pair : nested) {
      Way way = chosen.get(pair);
      int place = way == null ? last : weights.indexOf(way.weight());
      if (place < last) {
        return false;
      }
      last = place;
    }
    return true;
  }

  private Miss misfit(LoraPair pair) {
    String shapes =
        String.join(
            ", ",
            weights.stream().map(w -> w.tensor().label() + " " + w.tensor().shape()).toList());
    return new Miss(
        pair.module(),
        "the adapter has lora_A %s and lora_B %s of rank %d for %s, but %s"
            .formatted(
                pair.a().shape(),
                pair.b().shape(),
                pair.rank(),
                pair.parameters().candidates(),
                weights.isEmpty()
                    ? "the file has no weight of that name, nor one that the module's nodes read"
                    : "the module's weights are " + shapes),
        List.of(),
        weights.isEmpty() ? Cause.ABSENT : Cause.NO_FIT);
  }

  private static Miss doubt(LoraPair pair, List<Way> ways) {
    return new Miss(
        pair.module(),
        "lora_A %s and lora_B %s fit in several ways: %s, and neither the other pairs of the module nor its products say which is meant; fold with PEFT and export the merged model"
            .formatted(
                pair.a().shape(),
                pair.b().shape(),
                ways.stream()
                    .map(w ->
                        "'%s' %s as %s"
                            .formatted(
                                w.weight().tensor().label(),
                                w.weight().tensor().shape(),
                                w.layout() == Layout.OUT_IN ? "[out, in]" : "[in, out]"))
                    .distinct()
                    .toList()),
        List.of(),
        Cause.UNSUPPORTED);
  }
}
