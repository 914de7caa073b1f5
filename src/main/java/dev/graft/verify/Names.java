package dev.graft.verify;

import java.util.Collection;
import java.util.stream.Collectors;

/** Lists of names as messages show them. */
final class Names {

  private static final int SHOWN = 20;

  private Names() {}

  /** The first names in quotes, and how many more there are. */
  static String listed(Collection<String> names) {
    if (names.isEmpty()) {
      return "none";
    }
    String shown =
        names.stream().limit(SHOWN).map(n -> "'" + n + "'").collect(Collectors.joining(", "));
    int rest = names.size() - SHOWN;
    return rest > 0 ? shown + " and " + rest + " more" : shown;
  }
}
