package dev.graft.cli;

import dev.graft.graph.GraphNode;
import dev.graft.match.BoundTarget;
import java.util.List;
import java.util.Optional;

/**
 * A target of the adapter with its place in the model.
 *
 * @param target the adapter's name for it
 * @param kind {@code lora} where a product is added, {@code whole} where the tensor is replaced
 * @param rule the rule that found the place
 * @param nodes the operators that read the weight for this target
 * @param tensor the stored weight
 * @param scale the factor on B·A, the user's weight counted in; absent for a whole tensor
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
   * @param before in the base
   * @param after in the output
   */
  record Hashes(String before, String after) {}

  /**
   * An entry for a target.
   *
   * @param weight the user's factor
   */
  static BoundEntry of(BoundTarget bound, double weight) {
    BoundTarget.Place place = bound.place();
    List<String> nodes = place.nodes().stream().map(GraphNode::label).toList();
    return switch (bound) {
      case BoundTarget.Rows rows ->
          new BoundEntry(
              rows.name(),
              "rows",
              place.rule().label(),
              nodes,
              TensorEntry.of(place.tensor(), rows.layout()),
              Optional.empty(),
              place.isSplit(),
              Optional.empty());
      case BoundTarget.Lora lora ->
          new BoundEntry(
              lora.name(),
              "lora",
              place.rule().label(),
              nodes,
              TensorEntry.of(place.tensor(), lora.layout()),
              Optional.of(lora.pair().scale() * weight / lora.alpha()),
              place.isSplit(),
              Optional.empty());
      case BoundTarget.Whole whole ->
          new BoundEntry(
              whole.name(),
              "whole",
              place.rule().label(),
              nodes,
              TensorEntry.of(place.tensor()),
              Optional.empty(),
              place.isSplit(),
              Optional.empty());
    };
  }

  BoundEntry with(Hashes written) {
    return new BoundEntry(target, kind, rule, nodes, tensor, scale, split, Optional.of(written));
  }
}
