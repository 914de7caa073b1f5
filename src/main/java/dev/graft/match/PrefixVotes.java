package dev.graft.match;

import java.util.Collection;
import java.util.Comparator;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;
import java.util.Set;

/**
 * Every prefix that would bring one of the wanted names to one of the file's, and how many it
 * would.
 */
final class PrefixVotes {

  private final SequencedMap<Prefix, Integer> votes = new LinkedHashMap<>();

  private PrefixVotes() {}

  /**
   * Counts.
   *
   * @param wanted the adapter's names
   * @param names the file's names
   */
  static PrefixVotes of(Collection<String> wanted, Collection<String> names) {
    PrefixVotes result = new PrefixVotes();
    Set<String> wantedNames = new HashSet<>(wanted);
    Set<String> fileNames = new HashSet<>(names);
    names.forEach(name -> result.count(name, wantedNames, head -> new Prefix("", head)));
    wanted.forEach(name -> result.count(name, fileNames, head -> new Prefix(head, "")));
    return result;
  }

  /** Makes a prefix of what stands before the common end of two names. */
  private interface Maker {
    Prefix of(String head);
  }

  private void count(String name, Set<String> ends, Maker maker) {
    for (int dot = name.indexOf('.'); dot >= 0; dot = name.indexOf('.', dot + 1)) {
      if (ends.contains(name.substring(dot + 1))) {
        votes.merge(maker.of(name.substring(0, dot + 1)), 1, Integer::sum);
      }
    }
  }

  Set<Prefix> all() {
    return votes.keySet();
  }

  /** Those with the most votes. */
  List<Prefix> leading(int most) {
    return votes.entrySet().stream()
        .sorted(Map.Entry.comparingByValue(Comparator.reverseOrder()))
        .limit(most)
        .map(Map.Entry::getKey)
        .toList();
  }
}
