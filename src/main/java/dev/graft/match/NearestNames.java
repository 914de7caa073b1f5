package dev.graft.match;

import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.TreeSet;

/** Finds the names that look most like one that was not found. */
final class NearestNames {

  private static final int SHOWN = 3;
  private static final int MAX_LENGTH = 256;

  private NearestNames() {}

  private record Scored(String name, int distance) {
    private static final Comparator<Scored> ORDER =
        Comparator.comparingInt(Scored::distance).thenComparing(Scored::name);
  }

  /** The nearest names, at most {@value #SHOWN}; one that only has more in front comes first. */
  static List<String> of(String wanted, Collection<String> names) {
    if (wanted.length() > MAX_LENGTH) {
      return List.of();
    }
    TreeSet<Scored> best = new TreeSet<>(Scored.ORDER);
    for (String name : names) {
      if (name.length() > MAX_LENGTH) {
        continue;
      }
      int limit =
          best.size() < SHOWN
              ? furthest(wanted, name)
              : Math.min(furthest(wanted, name), best.last().distance());
      int distance = isTail(wanted, name) ? 0 : distance(wanted, name, limit);
      if (distance <= limit) {
        best.add(new Scored(name, distance));
      }
      if (best.size() > SHOWN) {
        best.pollLast();
      }
    }
    return best.stream().map(Scored::name).toList();
  }

  private static boolean isTail(String a, String b) {
    return a.endsWith("." + b) || b.endsWith("." + a);
  }

  /** Names that differ in more than half of their letters are not alike. */
  private static int furthest(String a, String b) {
    return Math.max(a.length(), b.length()) / 2;
  }

  /** Levenshtein's distance, or something above the limit. */
  private static int distance(String a, String b, int limit) {
    if (Math.abs(a.length() - b.length()) > limit) {
      return Integer.MAX_VALUE;
    }
    int[] row = new int[b.length() + 1];
    for (int j = 0; j <= b.length(); j++) {
      row[j] = j;
    }
    for (int i = 1; i <= a.length(); i++) {
      int diagonal = row[0];
      row[0] = i;
      int least = i;
      for (int j = 1; j <= b.length(); j++) {
        int swap = diagonal + (a.charAt(i - 1) == b.charAt(j - 1) ? 0 : 1);
        diagonal = row[j];
        row[j] = Math.min(swap, 1 + Math.min(row[j], row[j - 1]));
        least = Math.min(least, row[j]);
      }
      if (least > limit) {
        return Integer.MAX_VALUE;
      }
    }
    return row[b.length()];
  }
}
