package dev.graft.cli;

import dev.graft.graph.GraphNode;
import dev.graft.match.BoundTarget;
import dev.graft.match.SizeTrace;
import dev.graft.tensor.Shape;
import java.util.List;
import java.util.Optional;

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
    Optional<Double> scale,
    boolean split,
    Optional<Hashes> hashes) {

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
    return new BoundEntry(target, kind, rule, nodes, tensor, scale, split, Optional.of(written));
  }
}
