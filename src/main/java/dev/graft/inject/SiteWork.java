package dev.graft.inject;

import dev.graft.match.BoundTarget.Lora;
import dev.graft.match.Reading;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.SequencedMap;

/**
 * One operator that gets branches.
 *
 * @param reading the operator's input that reads the weight
 * @param loras the pairs that act there, in the order of their outputs; several where the weight
 *     packs several modules
 */
record SiteWork(Reading reading, List<Lora> loras) {

  SiteWork {
    loras =
        loras.stream().sorted(Comparator.comparingLong(l -> l.place().outputs().from())).toList();
  }

  /** The operators, in the order in which the pairs name them. */
  static List<SiteWork> of(List<Lora> all) {
    SequencedMap<Reading, List<Lora>> byReading = new LinkedHashMap<>();
    for (Lora lora : all) {
      lora.place().spots().stream()
          .flatMap(spot -> spot.readers().stream())
          .distinct()
          .forEach(reading -> byReading.computeIfAbsent(reading, r -> new ArrayList<>()).add(lora));
    }
    return byReading.entrySet().stream().map(e -> new SiteWork(e.getKey(), e.getValue())).toList();
  }

  BranchForm form() {
    return BranchForm.of(reading);
  }

  /** The number of outputs of the whole weight. */
  long outputs() {
    Lora first = loras.getFirst();
    return first.layout().out(first.operation().shape());
  }
}
