package dev.graft.autodiff;

import dev.graft.onnx.Attributes;
import java.util.List;
import java.util.Optional;

/**
 * A product with keys or values that were repeated for several query heads, A · repeat(B), is one
 * with what they were before, where the query heads of a group stand below each other: reshape(A) ·
 * B. Nothing is copied, and the gradient of B comes out summed over the group.
 */
final class RepeatFusion implements Fusion {

  /**
   * Heads before and after they were repeated.
   *
   * @param value the heads before, [batch, keys, sequence, size]
   * @param keys their number
   * @param queries their number afterwards
   * @param isTransposed whether the product takes them with the last axes exchanged
   */
  private record Repeat(String value, long keys, long queries, boolean isTransposed) {}

  @Override
  public boolean apply(OpNode node, Emitter emit) {
    if (!node.operator().equals("MatMul") || node.facts(0).rank().orElse(0) != 4) {
      return false;
    }
    Optional<Repeat> found = repeat(node);
    if (found.isEmpty()) {
      return false;
    }
    Repeat repeat = found.get();
    if (node.facts(0).dim(1).filter(d -> d.is(repeat.queries())).isEmpty()) {
      return false;
    }
    String grouped = emit.reshape(node.input(0), 0, repeat.keys(), -1, 0);
    String product =
        repeat.isTransposed()
            ? emit.op(
                "com.microsoft.FusedMatMul",
                List.of(grouped, repeat.value()),
                Attributes.of("transB", 1L))
            : emit.op("MatMul", grouped, repeat.value());
    String parted = emit.reshape(product, 0, repeat.queries(), -1, 0);
    emit.alias(parted, node.proto().getOutput(0));
    return true;
  }

  private static Optional<Repeat> repeat(OpNode node) {
    Pattern pattern = new Pattern(node.draft());
    String value = node.input(1);
    Optional<OpNode> turned =
        pattern
            .made(value, "Transpose")
            .filter(t -> MovementShapes.permutation(t, 4).equals(List.of(0, 1, 3, 2)));
    String repeated = turned.map(t -> t.input(0)).orElse(value);
    Optional<OpNode> expanded =
        pattern.made(repeated, "Reshape").flatMap(r -> pattern.made(r.input(0), "Expand"));
    Optional<OpNode> parted = expanded.flatMap(e -> pattern.made(e.input(0), "Unsqueeze"));
    if (parted.isEmpty()) {
      return Optional.empty();
    }
    Facts before = parted.get().facts(0);
    Facts wide = node.draft().facts(expanded.orElseThrow().proto().getOutput(0));
    Facts after = node.draft().facts(repeated);
    return isRepeat(before, wide, after)
        ? Optional.of(
            new Repeat(
                parted.get().input(0),
                before.dim(1).orElseThrow().value(),
                after.dim(1).orElseThrow().value(),
                turned.isPresent()))
        : Optional.empty();
  }

  /** [b, k, s, d] to [b, k, g, s, d] to [b, k·g, s, d], with k and g known. */
  private static boolean isRepeat(Facts before, Facts wide, Facts after) {
    if (before.rank().orElse(0) != 4
        || wide.rank().orElse(0) != 5
        || after.rank().orElse(0) != 4
        || !before.dim(1).orElseThrow().isConstant()
        || !wide.dim(2).orElseThrow().isConstant()) {
      return false;
    }
    return wide.dim(1).equals(before.dim(1))
        && wide.dim(3).equals(before.dim(2))
        && wide.dim(4).equals(before.dim(3))
        && after.dim(1).equals(wide.dim(1).map(k -> k.times(wide.dim(2).orElseThrow())))
        && after.dim(2).equals(before.dim(2))
        && after.dim(3).equals(before.dim(3));
  }
}
