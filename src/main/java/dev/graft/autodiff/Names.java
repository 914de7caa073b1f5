package dev.graft.autodiff;

import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;

/** The names of a graph's values and nodes; gives out new ones. */
final class Names {

  private final Set<String> taken = new HashSet<>();
  private final Map<String, Integer> counts = new HashMap<>();

  void take(String name) {
    taken.add(name);
  }

  /** The wish itself where it is free, otherwise with a number behind it. */
  String fresh(String wish) {
    String name = wish;
    while (!taken.add(name)) {
      name = wish + "_" + counts.merge(wish, 1, Integer::sum);
    }
    return name;
  }
}
