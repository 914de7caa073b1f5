package dev.graft.match;

import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/**
 * Which prefixes the names of a file and of an adapter suggest, and how many of the adapter's
 * modules each would serve. A target can only bind where its module or parameter is in the file
 * under the prefix, so a prefix that binds all has all votes.
 */
final class PrefixVotes {

  /** No module lies deeper; longer names are a joke or an attack. */
  private static final int MAX_PARTS = 64;

  private static final int MAX_LENGTH = 1024;

  /** The prefixes that are tried when none serves all; only messages depend on it. */
  private static final int PARTLY_TRIED = 8;

  private final Map<String, String> moduleOfName = new HashMap<>();
  private final Map<Prefix, Set<String>> votes = new HashMap<>();
  private final Set<String> modules = new HashSet<>();
  private Prefix wrapper = Prefix.NONE;

  /** Adds a target that the prefix is to serve. */
  void want(String target, String module) {
    moduleOfName.put(target, module);
    moduleOfName.put(module, module);
    modules.add(module);
  }

  /** Notes the file's modules, which may all lie in a wrapper that the export was made through. */
  void wrap(Collection<String> fileModules) {
    wrapper = new Prefix("", common(fileModules));
  }

  /** Counts for the names of a file. */
  void count(Collection<String> fileNames) {
    for (String name : fileNames) {
      vote(name, Prefix.NONE);
      for (int dot : dots(name)) {
        vote(name.substring(dot + 1), new Prefix("", name.substring(0, dot + 1)));
      }
    }
    Set<String> names = new HashSet<>(fileNames);
    for (Map.Entry<String, String> wanted : moduleOfName.entrySet()) {
      String name = wanted.getKey();
      for (int dot : dots(name)) {
        if (names.contains(name.substring(dot + 1))) {
          add(new Prefix(name.substring(0, dot + 1), ""), wanted.getValue());
        }
      }
    }
  }

  /**
   * The prefixes that may serve every target. Names may agree as they are for a single module, but
   * a prefix that only one module speaks for would be a match by the end of its name, unless all
   * modules of the file begin with it.
   */
  List<Prefix> complete() {
    List<Prefix> complete =
        new ArrayList<>(
            sorted().stream()
                .filter(p -> votes.getOrDefault(p, Set.of()).size() == modules.size())
                .toList());
    if (!complete.contains(wrapper)
        && votes.getOrDefault(wrapper, Set.of()).size() == modules.size()) {
      complete.add(wrapper);
    }
    complete.remove(Prefix.NONE);
    complete.addFirst(Prefix.NONE);
    return complete;
  }

  /** The prefixes that serve most, for saying what is missing. */
  List<Prefix> best() {
    return sorted().stream().limit(PARTLY_TRIED).toList();
  }

  private List<Prefix> sorted() {
    return votes.entrySet().stream()
        .filter(e -> e.getKey().equals(Prefix.NONE) || e.getValue().size() > 1)
        .sorted(
            Comparator.comparingInt((Map.Entry<Prefix, Set<String>> e) -> -e.getValue().size())
                .thenComparing(e -> e.getKey().from())
                .thenComparing(e -> e.getKey().to()))
        .map(Map.Entry::getKey)
        .toList();
  }

  /** What two or more names all begin with, up to a dot. */
  private static String common(Collection<String> names) {
    TreeSet<String> sorted = new TreeSet<>(names);
    if (sorted.size() < 2) {
      return "";
    }
    // What the first and the last in order share, all between them share.
    String first = sorted.first();
    String last = sorted.last();
    int length = 0;
    while (length < Math.min(first.length(), last.length())
        && first.charAt(length) == last.charAt(length)) {
      length++;
    }
    return first.substring(0, first.substring(0, length).lastIndexOf('.') + 1);
  }

  private void vote(String name, Prefix prefix) {
    String module = moduleOfName.get(name);
    if (module != null) {
      add(prefix, module);
    }
  }

  private void add(Prefix prefix, String module) {
    votes.computeIfAbsent(prefix, p -> new HashSet<>()).add(module);
  }

  private static List<Integer> dots(String name) {
    List<Integer> dots = new ArrayList<>();
    if (name.length() > MAX_LENGTH) {
      return dots;
    }
    for (int dot = name.indexOf('.'); dot >= 0; dot = name.indexOf('.', dot + 1)) {
      if (dots.size() == MAX_PARTS) {
        return dots;
      }
      dots.add(dot);
    }
    return dots;
  }
}
