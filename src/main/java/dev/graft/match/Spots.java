package dev.graft.match;

import dev.graft.graph.Value;
import dev.graft.onnx.StoredTensor;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;

/** Gathers ways to weights by the weight that they lead to. */
final class Spots {

  private Spots() {}

  /** One spot for each stored weight, in the order of first appearance. */
  static List<Spot> of(List<WeightPath> paths) {
    SequencedMap<StoredTensor, List<WeightPath>> byTensor = new LinkedHashMap<>();
    for (WeightPath path : paths) {
      byTensor.computeIfAbsent(path.tensor(), t -> new ArrayList<>()).add(path);
    }
    List<Spot> spots = new ArrayList<>();
    for (Map.Entry<StoredTensor, List<WeightPath>> entry : byTensor.entrySet()) {
      List<WeightPath> same = entry.getValue();
      spots.add(
          Spot.of(
              entry.getKey(),
              same.getFirst().root(),
              same.stream().map(WeightPath::reading).distinct().toList()));
    }
    return spots;
  }

  /** Spots on the same bytes made one, since one change serves them all. */
  static List<Spot> joined(List<Spot> spots, SharedBytes shared) {
    List<Spot> joined = new ArrayList<>();
    for (Spot spot : spots) {
      List<StoredTensor> twins = shared.twins(spot.tensor());
      int same = -1;
      for (int i = 0; i < joined.size(); i++) {
        if (twins.contains(joined.get(i).tensor())) {
          same = i;
        }
      }
      if (same < 0) {
        joined.add(new Spot(spot.tensor(), twins, spot.roots(), spot.readers(), List.of()));
      } else {
        joined.set(same, union(joined.get(same), spot));
      }
    }
    return joined;
  }

  private static Spot union(Spot a, Spot b) {
    LinkedHashSet<Value> roots = new LinkedHashSet<>(a.roots());
    roots.addAll(b.roots());
    LinkedHashSet<Reading> readers = new LinkedHashSet<>(a.readers());
    readers.addAll(b.readers());
    return new Spot(a.tensor(), a.twins(), List.copyOf(roots), List.copyOf(readers), List.of());
  }
}
