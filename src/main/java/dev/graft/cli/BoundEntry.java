package dev.graft.cli;

import dev.graft.graph.GraphNode;
import dev.graft.match.BoundTarget;
import dev.graft.match.OutputRange;
import dev.graft.match.SizeTrace;
import dev.graft.match.Turn;
import dev.graft.tensor.Shape;
import java.util.List;
import java.util.Optional;
import java.util.function.LongSupplier;

/**
 * A target of the adapter with its place in the model.
 *
 * @param target the adapter's name for it
 * @param kind {@code lora} where a product is added, {@code dora} where outputs are scaled besides,
 *     {@code experts} where a product is added for each expert, {@code shift} where a bias is,
 *     {@code rows} where rows of a table are replaced, {@code whole} where the tensor is
 * @param rule the rule that found the place
 * @param nodes the operators that read the weight for this target
 * @param tensor the stored weight, or the one that the graph gets
 * @param outputs the weight's outputs that are the target's; absent where all are
 * @param targetOutputs the target's outputs that are there; absent where all are
 * @param scale the factor on B·A or on the bias of B, the user's weight counted in; absent where
 *     values are replaced
 * @param split whether the target gets a copy of its own, because others read the same bytes
 * @param hashes SHA-256 of the tensor's bytes; absent where nothing was written
 */
record BoundEntry(
    String target,
    String kind,
    String rule,
    List<String> nodes,
    TensorEntry tensor,
    Optional<RangeEntry> outputs,
    Optional<RangeEntry> targetOutputs,
    Optional<Double> scale,
    boolean split,
    Optional<Hashes> hashes) {

  /**
   * Some outputs out of several, next to each other.
   *
   * @param from the first, counted from 0
   * @param count how many
   * @param of how many there are in all
   */
  record RangeEntry(long from, long count, long of) {
    static Optional<RangeEntry> of(OutputRange range, LongSupplier all) {
      return range.isAll()
          ? Optional.empty()
          : Optional.of(new RangeEntry(range.from(), range.count(), all.getAsLong()));
    }

    @Override
    public String toString() {
      return from + " to " + (from + count - 1) + " of " + of;
    }
  }

  /**
   * SHA-256 of the tensor's bytes.
   *
   * @param before in the base; absent where it has no such tensor
   * @param after in the output
   */
  record Hashes(Optional<String> before, String after) {}

  /**
   * An entry for a target.
   *
   * @param weight the user's factor
   */
  static BoundEntry of(BoundTarget bound, double weight) {
    BoundTarget.Place place = bound.place();
    return new BoundEntry(
        bound.label(),
        kind(bound),
        place.rule().label(),
        place.nodes().stream().map(GraphNode::label).toList(),
        tensor(bound),
        outputs(bound),
        targetOutputs(bound),
        scale(bound).map(scale -> scale * weight),
        place.isSplit(),
        Optional.empty());
  }

  private static String kind(BoundTarget bound) {
    return switch (bound) {
      case BoundTarget.Lora lora -> lora.pair().magnitude().isPresent() ? "dora" : "lora";
      case BoundTarget.Experts experts -> "experts";
      case BoundTarget.Shift shift -> "shift";
      case BoundTarget.Rows rows -> "rows";
      case BoundTarget.Whole whole -> "whole";
    };
  }

  private static TensorEntry tensor(BoundTarget bound) {
    return switch (bound) {
      case BoundTarget.Lora lora -> TensorEntry.of(lora.place().tensor(), lora.layout());
      case BoundTarget.Experts experts ->
          TensorEntry.of(experts.place().tensor(), experts.layout());
      case BoundTarget.Rows rows -> TensorEntry.of(rows.place().tensor(), rows.layout());
      case BoundTarget.Shift shift -> tensor(shift, shift.pair().biasOfB().orElseThrow().shape());
      case BoundTarget.Whole whole -> tensor(whole, SizeTrace.shape(whole));
    };
  }

  private static Optional<RangeEntry> outputs(BoundTarget bound) {
    return RangeEntry.of(
        bound.place().outputs(),
        () -> {
          Shape stored = bound.place().tensor().shape();
          return switch (bound) {
            case BoundTarget.Lora lora -> lora.layout().out(stored);
            case BoundTarget.Whole whole ->
                stored.dim(whole.turn() == Turn.TRANSPOSED ? stored.rank() - 1 : 0);
            case BoundTarget.Experts experts -> stored.dim(0);
            case BoundTarget.Rows rows -> stored.dim(0);
            case BoundTarget.Shift shift -> stored.dim(0);
          };
        });
  }

  private static Optional<RangeEntry> targetOutputs(BoundTarget bound) {
    return switch (bound) {
      case BoundTarget.Lora lora ->
          RangeEntry.of(lora.pairOutputs(), () -> lora.pair().b().shape().dim(0));
      case BoundTarget.Shift shift ->
          RangeEntry.of(shift.pairOutputs(), () -> shift.pair().b().shape().dim(0));
      case BoundTarget.Whole whole ->
          RangeEntry.of(whole.valueOutputs(), () -> whole.replacement().value().shape().dim(0));
      case BoundTarget.Experts experts -> Optional.empty();
      case BoundTarget.Rows rows -> Optional.empty();
    };
  }

  private static TensorEntry tensor(BoundTarget bound, Shape shape) {
    return bound
        .place()
        .gap()
        .map(gap -> TensorEntry.of(gap, shape))
        .orElseGet(() -> TensorEntry.of(bound.place().tensor()));
  }

  private static Optional<Double> scale(BoundTarget bound) {
    return switch (bound) {
      case BoundTarget.Lora lora -> Optional.of(lora.pair().scale() / lora.alpha());
      case BoundTarget.Experts experts -> Optional.of(experts.parameter().scaling().factor());
      case BoundTarget.Shift shift -> Optional.of(shift.pair().scale() / shift.factor());
      case BoundTarget.Rows rows -> Optional.empty();
      case BoundTarget.Whole whole -> Optional.empty();
    };
  }

  BoundEntry with(Hashes written) {
    return new BoundEntry(
        target,
        kind,
        rule,
        nodes,
        tensor,
        outputs,
        targetOutputs,
        scale,
        split,
        Optional.of(written));
  }
}
