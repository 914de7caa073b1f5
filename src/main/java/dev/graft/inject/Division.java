package dev.graft.inject;

import dev.graft.adapter.LoraPair;
import dev.graft.error.UnsupportedException;
import dev.graft.match.BoundTarget;
import dev.graft.match.BoundTarget.Lora;
import java.util.ArrayList;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Set;
import java.util.function.Predicate;

/**
 * Which of an adapter's targets become branches, and which take their place as in a merge.
 *
 * @param sites the operators that get branches
 * @param folded whole tensors, rows of tables, and the bias of a B whose branch is on the weight
 * @param heads whole weights of layers that are quantised
 */
record Division(List<SiteWork> sites, List<BoundTarget> folded, List<BoundTarget.Whole> heads) {

  Division {
    sites = List.copyOf(sites);
    folded = List.copyOf(folded);
    heads = List.copyOf(heads);
  }

  /**
   * Divides bound targets.
   *
   * @throws UnsupportedException if no branch is known for one of them
   */
  static Division of(List<BoundTarget> bound) {
    List<Lora> loras = bound.stream().filter(Lora.class::isInstance).map(Lora.class::cast).toList();
    List<SiteWork> sites = SiteWork.of(loras);
    Set<LoraPair> onWeight = pairs(sites, form -> form == BranchForm.ON_WEIGHT);
    Set<LoraPair> beside = pairs(sites, form -> form != BranchForm.ON_WEIGHT);
    List<BoundTarget> folded = new ArrayList<>();
    List<BoundTarget.Whole> heads = new ArrayList<>();
    for (BoundTarget target : bound) {
      switch (target) {
        case Lora lora -> {
          // It is among the sites.
        }
        case BoundTarget.Shift shift -> {
          requireOneForm(shift, onWeight, beside);
          if (onWeight.contains(shift.pair())) {
            folded.add(shift);
          }
        }
        case BoundTarget.Experts experts ->
            throw new UnsupportedException(
                "%s: the adapter acts on experts (target_parameters), which no branch is known for; merge it instead"
                    .formatted(experts.label()));
        case BoundTarget.Whole whole when FloatHead.isFor(whole) -> heads.add(whole);
        case BoundTarget.Whole whole -> folded.add(whole);
        case BoundTarget.Rows rows -> folded.add(rows);
      }
    }
    return new Division(sites, folded, heads);
  }

  private static Set<LoraPair> pairs(List<SiteWork> sites, Predicate<BranchForm> form) {
    Set<LoraPair> pairs = Collections.newSetFromMap(new IdentityHashMap<>());
    sites.stream()
        .filter(site -> form.test(site.form()))
        .flatMap(site -> site.loras().stream())
        .forEach(lora -> pairs.add(lora.pair()));
    return pairs;
  }

  /** The bias of B is in the branch or on the module's bias; it must not be in both. */
  private static void requireOneForm(
      BoundTarget.Shift shift, Set<LoraPair> onWeight, Set<LoraPair> beside) {
    if (onWeight.contains(shift.pair()) && beside.contains(shift.pair())) {
      throw new UnsupportedException(
          "%s: lora_bias on a module that the graph holds in two different forms, which no branch is known for; merge it instead"
              .formatted(shift.name()));
    }
  }
}
