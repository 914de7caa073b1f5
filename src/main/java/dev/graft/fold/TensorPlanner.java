package dev.graft.fold;

import dev.graft.fold.FoldedTensor.Part;
import dev.graft.graph.ModelGraph;
import dev.graft.graph.Use;
import dev.graft.match.BoundTarget;
import dev.graft.match.Layout;
import dev.graft.match.OutputRange;
import dev.graft.match.Spot;
import dev.graft.match.Turn;
import dev.graft.onnx.StoredTensor;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Optional;
import java.util.SequencedMap;

/**
 * Turns bound targets into new values for tensors. Targets that a file packs into one weight become
 * parts of one tensor; a target that the file holds several times becomes several tensors.
 */
final class TensorPlanner {

  private final ModelGraph graph;
  private final double weight;

  /**
   * Prepares to plan.
   *
   * @param graph the base
   * @param weight the user's factor
   */
  TensorPlanner(ModelGraph graph, double weight) {
    this.graph = graph;
    this.weight = weight;
  }

  /**
   * New values for a stored tensor or for a copy of it.
   *
   * @param spot the tensor, and who reads a copy instead
   * @param tensor its new values
   */
  record Move(Spot spot, FoldedTensor tensor) {}

  /** What has to be one tensor: a stored one, and the readings that a copy of it is for. */
  private record Home(StoredTensor tensor, List<Use> split) {}

  private static final class Draft {
    private final Spot spot;
    private final List<Part> parts = new ArrayList<>();

    Draft(Spot spot) {
      this.spot = spot;
    }
  }

  /** One move for each tensor; the first places of all targets come before the further ones. */
  List<Move> plan(List<BoundTarget> bound) {
    SequencedMap<Home, Draft> drafts = new LinkedHashMap<>();
    bound.forEach(target -> add(target, target.place().spots().getFirst(), drafts));
    for (BoundTarget target : bound) {
      target.place().spots().stream().skip(1).forEach(spot -> add(target, spot, drafts));
    }
    return drafts.values().stream().map(this::move).toList();
  }

  private void add(BoundTarget target, Spot spot, SequencedMap<Home, Draft> drafts) {
    drafts
        .computeIfAbsent(new Home(spot.tensor(), spot.split()), h -> new Draft(spot))
        .parts
        .add(part(target));
  }

  private Move move(Draft draft) {
    StoredTensor tensor = draft.spot.tensor();
    Optional<String> copy =
        draft.spot.isSplit()
            ? Optional.of(graph.freshName(tensor.label() + "/" + draft.parts.getFirst().target()))
            : Optional.empty();
    return new Move(draft.spot, new FoldedTensor(tensor, draft.parts, copy));
  }

  private Part part(BoundTarget target) {
    return switch (target) {
      case BoundTarget.Lora lora ->
          new Part(lora.name(), lora(lora), Region.of(lora.layout(), lora.place().outputs()));
      case BoundTarget.Experts experts -> new Part(experts.label(), experts(experts), Region.ALL);
      case BoundTarget.Rows rows ->
          new Part(
              rows.name(),
              new Change.Rows(rows.rows().rows(), rows.rows().indices(), rows.layout()),
              Region.ALL);
      case BoundTarget.Whole whole ->
          new Part(
              whole.name(),
              new Change.Whole(whole.replacement().value(), whole.valueOutputs(), whole.turn()),
              region(whole));
    };
  }

  /** A vector's outputs are the columns of its only row. */
  private static Region region(BoundTarget.Whole whole) {
    boolean inRows = whole.turn() == Turn.AS_IS && whole.place().tensor().shape().rank() > 1;
    return Region.of(inRows ? Layout.OUT_IN : Layout.IN_OUT, whole.place().outputs());
  }

  private Change lora(BoundTarget.Lora lora) {
    Change.LowRank lowRank =
        new Change.LowRank(lora.pair().factors(), lora.pairOutputs(), scale(lora), lora.layout());
    return lora.pair()
        .magnitude()
        .<Change>map(m -> new Change.Dora(lowRank, m, lora.alpha()))
        .orElse(lowRank);
  }

  private Change experts(BoundTarget.Experts bound) {
    float scale = (float) (bound.parameter().scaling().factor() * weight);
    return bound.place().tensor().shape().rank() == 2
        ? new Change.LowRank(bound.pair().factors(), OutputRange.ALL, scale, bound.layout())
        : new Change.Experts(
            bound.pair().factors(),
            Math.toIntExact(bound.place().tensor().shape().dim(0)),
            scale,
            bound.layout());
  }

  /**
   * The factor on B·A: PEFT's scaling and the user's weight, less what the operator multiplies
   * itself.
   */
  private float scale(BoundTarget.Lora lora) {
    return (float) (lora.pair().scale() * weight / lora.alpha());
  }
}
