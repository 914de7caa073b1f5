package dev.graft.fold;

import dev.graft.adapter.LoraPair;
import dev.graft.error.UnsupportedException;
import dev.graft.fold.FoldedTensor.Form;
import dev.graft.fold.FoldedTensor.Part;
import dev.graft.graph.ModelGraph;
import dev.graft.graph.Use;
import dev.graft.match.BoundTarget;
import dev.graft.match.Gap;
import dev.graft.match.Layout;
import dev.graft.match.Opening;
import dev.graft.match.OutputRange;
import dev.graft.match.SizeTrace;
import dev.graft.match.Spot;
import dev.graft.match.Turn;
import dev.graft.onnx.StoredTensor;
import dev.graft.safetensors.SafetensorsTensor;
import dev.graft.tensor.Shape;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Optional;
import java.util.SequencedMap;
import java.util.stream.Collectors;

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
   * New values for a stored tensor, for a copy of it, or for a tensor that the graph lacks.
   *
   * @param home where
   * @param tensor the new values
   */
  record Move(Home home, FoldedTensor tensor) {

    /** The stored tensor and who reads it; empty for a tensor that the graph lacks. */
    Optional<Spot> spot() {
      return home.spot();
    }
  }

  /**
   * What has to be one tensor: a stored one or a copy of it for some readings, or one for openings.
   *
   * @param spot the stored tensor, or nothing
   * @param gap what the graph lacks, or nothing
   */
  record Home(Optional<Spot> spot, Optional<Gap> gap) {

    /** The first place of a target. */
    static Home first(BoundTarget target) {
      return all(target).getFirst();
    }

    /** All places of a target. */
    static List<Home> all(BoundTarget target) {
      List<Home> homes = new ArrayList<>();
      target.place().gap().ifPresent(g -> homes.add(new Home(Optional.empty(), Optional.of(g))));
      target.place().spots().forEach(s -> homes.add(new Home(Optional.of(s), Optional.empty())));
      return homes;
    }

    /** What tells one tensor from another; targets on one tensor may read it in several places. */
    Key key() {
      return new Key(
          spot.map(Spot::home),
          spot.map(Spot::split).orElse(List.of()),
          gap.map(Gap::openings).orElse(List.of()));
    }

    record Key(Optional<StoredTensor> tensor, List<Use> split, List<Opening> openings) {}
  }

  /** A tensor and what happens to it. */
  private static final class Draft {
    private final Home home;
    private final List<Part> parts = new ArrayList<>();
    private Optional<Shape> shape = Optional.empty();

    Draft(Home home) {
      this.home = home;
    }
  }

  /** One move for each tensor; the first places of all targets come before the further ones. */
  List<Move> plan(List<BoundTarget> bound) {
    SequencedMap<Home.Key, Draft> drafts = new LinkedHashMap<>();
    bound.forEach(target -> add(target, Home.first(target), drafts));
    for (BoundTarget target : bound) {
      Home.all(target).stream().skip(1).forEach(home -> add(target, home, drafts));
    }
    return drafts.values().stream().map(this::move).toList();
  }

  private void add(BoundTarget target, Home home, SequencedMap<Home.Key, Draft> drafts) {
    Draft draft = drafts.computeIfAbsent(home.key(), k -> new Draft(home));
    draft.parts.add(part(target));
    switch (target) {
      case BoundTarget.Whole whole -> draft.shape = Optional.of(SizeTrace.shape(whole));
      case BoundTarget.Shift shift ->
          draft.shape = draft.shape.or(() -> shift.place().gap().map(g -> Shape.of(length(shift))));
      default -> {
        // Others have the shape of what they are folded into.
      }
    }
  }

  private Move move(Draft draft) {
    // A saved bias takes its place before lora_bias is added to it.
    List<Part> parts =
        draft.parts.stream()
            .sorted(Comparator.comparing(p -> p.change() instanceof Change.Shift))
            .toList();
    return new Move(draft.home, tensor(draft, parts));
  }

  private FoldedTensor tensor(Draft draft, List<Part> parts) {
    if (draft.home.gap().isPresent()) {
      Gap gap = draft.home.gap().get();
      return FoldedTensor.missing(
          new Form(graph.freshName(gap.name()), gap.dtype(), draft.shape.orElseThrow()), parts);
    }
    Spot spot = draft.home.spot().orElseThrow();
    StoredTensor tensor = spot.tensor();
    requireOneObserver(tensor, parts);
    Shape shape = draft.shape.orElse(tensor.shape());
    if (!spot.isSplit()) {
      return FoldedTensor.inPlace(tensor, shape, parts);
    }
    String name = graph.freshName(tensor.label() + "/" + draft.parts.getFirst().target());
    return FoldedTensor.copy(tensor, new Form(name, tensor.dtype(), shape), parts);
  }

  private static void requireOneObserver(StoredTensor tensor, List<Part> parts) {
    if (parts.stream().allMatch(p -> p.region().isAll())
        && parts.stream().filter(TensorPlanner::seesAllRowsFirst).count() > 1) {
      throw new UnsupportedException(
          "tensor '%s' would take %s one after the other, each of which has to know all of it first; fold them one by one"
              .formatted(
                  tensor.label(),
                  parts.stream().map(Part::target).collect(Collectors.joining(" and "))));
    }
  }

  private static boolean seesAllRowsFirst(Part part) {
    return part.change() instanceof Change.Dora dora && dora.lowRank().layout() == Layout.IN_OUT;
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
      case BoundTarget.Shift shift ->
          new Part(shift.name(), shift(shift), Region.ofVector(shift.place().outputs()));
    };
  }

  private static Region region(BoundTarget.Whole whole) {
    OutputRange outputs = whole.place().outputs();
    return SizeTrace.shape(whole).rank() == 1
        ? Region.ofVector(outputs)
        : Region.of(whole.turn() == Turn.AS_IS ? Layout.OUT_IN : Layout.IN_OUT, outputs);
  }

  private Change lora(BoundTarget.Lora lora) {
    Change.LowRank lowRank =
        new Change.LowRank(
            lora.pair().factors(),
            lora.pairOutputs(),
            scale(lora.pair(), lora.alpha()),
            lora.layout());
    return lora.pair()
        .magnitude()
        .<Change>map(m -> new Change.Dora(lowRank, m, lora.alpha()))
        .orElse(lowRank);
  }

  private Change shift(BoundTarget.Shift shift) {
    return new Change.Shift(bias(shift), shift.pairOutputs(), scale(shift.pair(), shift.factor()));
  }

  private static long length(BoundTarget.Shift shift) {
    return shift.pairOutputs().countOf(bias(shift).shape().elements());
  }

  private static SafetensorsTensor bias(BoundTarget.Shift shift) {
    return shift.pair().biasOfB().orElseThrow();
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
   * The factor on what the adapter adds: PEFT's scaling and the user's weight, less what the
   * operator multiplies itself.
   */
  private float scale(LoraPair pair, float ofOperator) {
    return (float) (pair.scale() * weight / ofOperator);
  }
}
