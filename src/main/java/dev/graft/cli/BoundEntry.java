package dev.graft.cli;

import dev.graft.graph.GraphNode;
import dev.graft.match.BoundTarget;
import dev.graft.match.OutputRange;
import dev.graft.match.Turn;
import dev.graft.tensor.Shape;
import java.util.List;
import java.util.Optional;
import java.util.function.LongSupplier;

/**
 * A target of the adapter with its place in the model.
 *
 * @param target the adapter's name for it
 * @param kind {@code lora} where a product is added, {@code whole} where the tensor is replaced
 * @param rule the rule that found the place
 * @param nodes the operators that read the weight for this target
 * @param tensor the stored weight
 * @param outputs the weight's outputs that are the target's; absent where all are
 * @param targetOutputs the target's outputs that are there; absent where all are
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
      case BoundTarget.Lora lora ->
          new BoundEntry(
              lora.name(),
              "lora",
              place.rule().label(),
              nodes,
              TensorEntry.of(place.tensor(), lora.layout()),
              RangeEntry.of(place.outputs(), () -> lora.layout().out(place.tensor().shape())),
              RangeEntry.of(lora.pairOutputs(), () -> lora.pair().b().shape().dim(0)),
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
              RangeEntry.of(place.outputs(), () -> outputs(whole)),
              RangeEntry.of(whole.valueOutputs(), () -> whole.replacement().value().shape().dim(0)),
              Optional.empty(),
              place.isSplit(),
              Optional.empty());
    };
  }

  private static long outputs(BoundTarget.Whole whole) {
    Shape stored = whole.place().tensor().shape();
    return stored.dim(whole.turn() == Turn.TRANSPOSED ? stored.rank() - 1 : 0);
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
