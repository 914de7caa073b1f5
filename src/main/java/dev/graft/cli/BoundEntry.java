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
 * @param kind {@code lora} where a product is added, {@code shift} where a vector is, {@code whole}
 *     where the tensor is replaced
 * @param rule the rule that found the place
 * @param nodes the operators that read the weight for this target
 * @param tensor the stored weight, or the one that the graph gets
 * @param scale the factor on B·A or the bias of B, the user's weight counted in; absent for a whole
 *     tensor
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
    return switch (bound) {
      case BoundTarget.Lora lora ->
          of(
              lora,
              "lora",
              TensorEntry.of(lora.place().tensor(), lora.layout()),
              Optional.of(lora.pair().scale() * weight / lora.alpha()));
      case BoundTarget.Shift shift ->
          of(
              shift,
              "shift",
              tensor(shift, shift.pair().biasOfB().orElseThrow().shape()),
              Optional.of(shift.pair().scale() * weight / shift.factor()));
      case BoundTarget.Whole whole ->
          of(whole, "whole", tensor(whole, SizeTrace.shape(whole)), Optional.empty());
    };
  }

  private static TensorEntry tensor(BoundTarget bound, Shape shape) {
    return bound
        .place()
        .gap()
        .map(gap -> TensorEntry.of(gap, shape))
        .orElseGet(() -> TensorEntry.of(bound.place().tensor()));
  }

  private static BoundEntry of(
      BoundTarget bound, String kind, TensorEntry tensor, Optional<Double> scale) {
    BoundTarget.Place place = bound.place();
    return new BoundEntry(
        bound.name(),
        kind,
        place.rule().label(),
        place.nodes().stream().map(GraphNode::label).toList(),
        tensor,
        scale,
        place.isSplit(),
        Optional.empty());
  }

  BoundEntry with(Hashes written) {
    return new BoundEntry(target, kind, rule, nodes, tensor, scale, split, Optional.of(written));
  }
}
