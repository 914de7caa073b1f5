package dev.graft.match;

import dev.graft.adapter.LoraPair;
import dev.graft.match.Miss.Cause;
import dev.graft.match.PackedAnswer.Piece;
import dev.graft.onnx.StoredTensor;
import dev.graft.tensor.Shape;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/** Whether a low-rank pair has the size of a weight. */
final class PairFit {

  private PairFit() {}

  /**
   * Why a pair does not fit.
   *
   * @param pair the adapter's tensors
   * @param piece where they are to act
   * @param layout how the stored weight is turned, as the pair counts its inputs and outputs
   * @return a miss, or nothing if the pair fits
   */
  static Optional<Miss> problem(LoraPair pair, Piece piece, Layout layout) {
    Site site = piece.found().first();
    StoredTensor tensor = site.tensor();
    if (site.kind() == Site.Kind.CONV && site.node().intAttribute("group", 1) != 1) {
      return miss(
          pair,
          Cause.UNSUPPORTED,
          "%s is a convolution in %d groups, which PEFT cannot merge either; serve the adapter as an active one"
              .formatted(site.node(), site.node().intAttribute("group", 1)));
    }
    long out = piece.ofWeight().countOf(layout.out(site.shape()));
    Optional<Shape> magnitude = pair.magnitude().map(m -> m.shape());
    if (magnitude.isPresent() && piece.ofModule().countOf(magnitude.get().elements()) != out) {
      return miss(
          pair,
          Cause.NO_FIT,
          "the adapter has a magnitude vector of shape %s, but '%s' %s has %d outputs"
              .formatted(magnitude.get(), tensor.label(), tensor.shape(), out));
    }
    if (inputs(pair).equals(inputs(site.shape(), layout))
        && piece.ofModule().countOf(pair.b().shape().dim(0)) == out) {
      return Optional.empty();
    }
    return miss(
        pair,
        Cause.NO_FIT,
        "the adapter has lora_A %s and lora_B %s%s, but '%s' %s read by %s has %s inputs and %d outputs"
            .formatted(
                pair.a().shape(),
                pair.b().shape(),
                pair.blocks().ofA() * pair.blocks().ofB() == 1
                    ? ""
                    : " in %d and %d blocks".formatted(pair.blocks().ofA(), pair.blocks().ofB()),
                tensor.label(),
                tensor.shape(),
                site.node().operator(),
                described(inputs(site.shape(), layout)),
                out));
  }

  /** What A counts as inputs: their number, then a kernel's sides unless all are 1. */
  private static List<Long> inputs(LoraPair pair) {
    List<Long> inputs = withoutPoints(behindFirst(pair.a().shape()));
    inputs.set(0, inputs.getFirst() * pair.blocks().ofA());
    return inputs;
  }

  /** The same of a stored weight; a matrix that is read as {@code [in, out]} has no kernel. */
  private static List<Long> inputs(Shape stored, Layout layout) {
    return stored.rank() > 2 ? withoutPoints(behindFirst(stored)) : List.of(layout.in(stored));
  }

  private static List<Long> behindFirst(Shape shape) {
    return new ArrayList<>(Arrays.stream(shape.toArray()).skip(1).boxed().toList());
  }

  /** A kernel that is a point is as good as none: linear layers are exported as one, and back. */
  private static List<Long> withoutPoints(List<Long> inputs) {
    boolean point = inputs.stream().skip(1).allMatch(side -> side == 1);
    return point ? new ArrayList<>(inputs.subList(0, 1)) : inputs;
  }

  private static String described(List<Long> inputs) {
    return inputs.size() == 1
        ? inputs.getFirst().toString()
        : inputs.getFirst() + " (each a kernel of " + inputs.subList(1, inputs.size()) + ")";
  }

  private static Optional<Miss> miss(LoraPair pair, Cause cause, String reason) {
    return Optional.of(new Miss(pair.module(), reason, List.of(), cause));
  }
}
