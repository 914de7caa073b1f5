package dev.graft.adapter;

import java.util.Collection;
import java.util.HashSet;
import java.util.Optional;
import java.util.Set;

/**
 * The pairs of an {@code nn.MultiheadAttention}. PEFT saves the pair of the packed parameter {@code
 * in_proj_weight} under the attention's own name and that of {@code out_proj} behind {@code
 * base_layer}, for the attention never calls its {@code out_proj} and PEFT has to merge both before
 * every call.
 *
 * <p>When it does so, it adds the second one twice: once by hand and once by the layer's own merge.
 * That holds for training, for inference and for its {@code merge_and_unload} in every release from
 * the first that knew the module to 0.21.2 at least, so it is part of what the adapter learnt.
 */
final class MultiheadPairs {

  private static final String IN_PROJ = ".in_proj";
  private static final String OUT_PROJ = ".out_proj";
  private static final int PACKED = 3;
  private static final int TIMES = 2;

  private final Set<String> attentions = new HashSet<>();
  private final Findings findings;
  private boolean warned;

  MultiheadPairs(Collection<LoraSlot> slots, Findings findings) {
    this.findings = findings;
    for (LoraSlot slot : slots) {
      String owner = slot.key().scope().owner();
      if (slot.key().module().equals(owner + OUT_PROJ)) {
        attentions.add(owner);
      }
    }
    attentions.retainAll(slots.stream().map(s -> s.key().module()).toList());
  }

  /** The pair as the base model's parameters have it. */
  LoraPair resolved(LoraSlot slot, LoraPair pair) {
    if (attentions.contains(pair.module())) {
      return packed(pair).orElse(pair);
    }
    String owner = slot.key().scope().owner();
    if (!attentions.contains(owner) || !pair.module().equals(owner + OUT_PROJ)) {
      return pair;
    }
    warn(pair.module());
    Scaling once = pair.scaling();
    return new LoraPair(
        pair.module(),
        pair.kind(),
        pair.factors(),
        new Scaling(once.rank(), once.alpha(), TIMES * once.factor()));
  }

  private static Optional<LoraPair> packed(LoraPair pair) {
    boolean isPacked = pair.b().shape().dim(0) == PACKED * pair.a().shape().dim(1);
    return isPacked
        ? Optional.of(
            new LoraPair(pair.module() + IN_PROJ, pair.kind(), pair.factors(), pair.scaling()))
        : Optional.empty();
  }

  private void warn(String module) {
    if (!warned) {
      findings.warn(
          "PEFT applies the pair of an nn.MultiheadAttention's out_proj ('"
              + module
              + "') twice, in training too; the fold does as PEFT does");
    }
    warned = true;
  }
}
