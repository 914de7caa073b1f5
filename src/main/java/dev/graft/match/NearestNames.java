package dev.graft.match;

import java.util.Collection;
import java.util.Comparator;
import java.util.List;

/** Finds the names that look most like one that was not found. */
final class NearestNames {

  private static final int SHOWN = 3;
  private static final int MAX_LENGTH = 256;

  private NearestNames() {}

  static List<String> of(String wanted, Collection<String> names) {
    record Scored(String name, int distance) {}
    return names.stream()
        .distinct()
        .filter(n -> n.length() <= MAX_LENGTH && wanted.length() <= MAX_LENGTH)
        .filter(n -> Math.abs(n.length() - wanted.length()) <= furthest(wanted, n))
        .map(n -> new Scored(n, distance(wanted, n)))
        .filter(s -> s.distance() <= furthest(wanted, s.name()))
        .sorted(Comparator.comparingInt(Scored::distance).thenComparing(Scored::name))
        .limit(SHOWN)
        .map(Scored::name)
        .toList();
  }

  /** Names that differ in more than half of their letters are not alike. */
  private static int furthest(String a, String b) {
    return Math.max(a.length(), b.length()) / 2;
  }

  /** Levenshtein's distance. */
  private static int distance(String a, String b) {
    int[] row = new int[b.length() + 1];
    for (int j = 0; j <= b.length(); j++) {
      row[j] = j;
    }
    for (int i = 1; i <= a.length(); i++) {
      int diagonal = row[0];
      row[0] = i;
      for (int j = 1; j <= b.length(); j++) {
        int swap = diagonal + (a.charAt(i - 1) == b.charAt(j - 1) ? 0 : 1);
        diagonal = row[j];
        row[j] = Math.min(swap, 1 + Math.min(row[j], row[j - 1]));
      }
    }
    return row[b.length()];
  }
}
