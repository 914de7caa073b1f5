package dev.graft.inject;

import dev.graft.adapter.LoraPair;
import dev.graft.inject.SlotInput.Extent;
import dev.graft.match.BoundTarget.Lora;
import dev.graft.match.OutputRange;
import dev.graft.match.Site;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/**
 * A pair on its way into the slots of a module.
 *
 * @param slots where it goes
 * @param outputs which of its outputs go there
 * @param loras the places in the graph that it acts on
 */
record SlotFit(ModelSlots.Pair slots, OutputRange outputs, List<Lora> loras) {

  SlotFit {
    loras = List.copyOf(loras);
  }

  LoraPair pair() {
    return loras.getFirst().pair();
  }

  boolean isKernel() {
    return loras.getFirst().operation().kind() == Site.Kind.CONV;
  }

  /** The axis of A that is the rank; of B it is the other one of the first two. */
  int rankAxisOfA() {
    return isKernel() ? 0 : 1;
  }

  /** The rank that the slot declares; empty where it has not the axis at all. */
  Optional<Extent> rank() {
    List<Extent> a = slots.a().extents();
    return rankAxisOfA() < a.size() ? Optional.of(a.get(rankAxisOfA())) : Optional.empty();
  }

  /** The number of outputs that go there. */
  long outs() {
    return outputs.countOf(pair().b().shape().dim(0));
  }

  /** A's dimensions in the graph for a rank. */
  long[] dimsOfA(long rank) {
    long[] dims = pair().a().shape().toArray();
    return isKernel()
        ? kernel(dims, 0, rank)
        : new long[] {pair().a().shape().elements() / Math.max(1, dims[0]), rank};
  }

  /** B's dimensions in the graph for a rank. */
  long[] dimsOfB(long rank) {
    if (!isKernel()) {
      return new long[] {rank, outs()};
    }
    long[] dims = kernel(pair().b().shape().toArray(), 1, rank);
    dims[0] = outs();
    return dims;
  }

  /** A linear layer that was exported as a convolution has factors without a kernel. */
  private long[] kernel(long[] dims, int rankAxis, long rank) {
    int axes = loras.getFirst().operation().shape().rank();
    long[] all = Arrays.copyOf(dims, axes);
    Arrays.fill(all, Math.min(axes, dims.length), axes, 1);
    all[rankAxis] = rank;
    return all;
  }

  /** Why the pair cannot go there with a rank; empty if it can. */
  Optional<String> problem(long rank) {
    if (pair().rank() > rank) {
      return Optional.of(
          "%s: the rank is %d, but slot '%s' takes %d at most; make slots with a higher --max-r"
              .formatted(pair().module(), pair().rank(), slots.a().name(), rank));
    }
    if (!slots.a().takes(dimsOfA(rank))) {
      return Optional.of(misfit(slots.a(), dimsOfA(rank)));
    }
    if (!slots.b().takes(dimsOfB(rank))) {
      return Optional.of(misfit(slots.b(), dimsOfB(rank)));
    }
    return Optional.empty();
  }

  private String misfit(SlotInput slot, long... dims) {
    return "%s: the adapter has %s for slot '%s', which takes %s"
        .formatted(pair().module(), Arrays.toString(dims), slot.name(), slot.extents());
  }
}
