package dev.graft.adapter;

import dev.graft.adapter.PatternNode.Text;
import java.util.BitSet;

/**
 * A regular expression over module names as PEFT's configurations hold them: Python's syntax,
 * matched by Graft itself.
 *
 * <p>Only whether a name matches is ever asked, never what a group caught. So a match is computed
 * on sets of positions, without backtracking: the time is polynomial in name and pattern, and a
 * {@link StepBudget} bounds it besides. What needs memory of the text (backreferences, atomic
 * groups) or looks behind is refused.
 */
final class ModulePattern {

  private final String pattern;
  private final PatternNode root;
  private final boolean plain;

  private ModulePattern(String pattern, PatternNode root) {
    this.pattern = pattern;
    this.root = root;
    this.plain = pattern.chars().allMatch(c -> c == '.' || c == '_' || c == '-' || isAsciiWord(c));
  }

  /**
   * Compiles a pattern.
   *
   * @throws dev.graft.error.FormatException if Python would refuse it
   * @throws dev.graft.error.UnsupportedException if it uses a construct that Graft does not match
   */
  static ModulePattern of(String pattern) {
    return new ModulePattern(pattern, PatternParser.parse(pattern));
  }

  private static boolean isAsciiWord(int c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
  }

  /** The pattern as the file has it. */
  String pattern() {
    return pattern;
  }

  /** Whether the whole name matches, as Python's {@code re.fullmatch}. */
  boolean matchesAll(String name, StepBudget budget) {
    Text text = new Text(name, budget, pattern);
    return root.ends(text.at(0), text).get(text.length());
  }

  /**
   * Whether a name or its tail after some dot matches: PEFT's {@code re.match("(.*\.)?(KEY)$",
   * name)}.
   */
  boolean matchesTail(String name, StepBudget budget) {
    // Nearly all patterns are names; on these the general way would cost a hundred times as much.
    if (plain && name.indexOf('\n') < 0) {
      return matchesPlainTail(name, budget);
    }
    Text text = new Text(name, budget, pattern);
    BitSet starts = text.at(0);
    for (int i = 0; i < text.length() && text.codePoint(i) != '\n'; i++) {
      if (text.codePoint(i) == '.') {
        starts.set(i + 1);
      }
    }
    BitSet ends = root.ends(starts, text);
    return ends.get(text.length()) || (text.endsWithNewline() && ends.get(text.length() - 1));
  }

  private boolean matchesPlainTail(String name, StepBudget budget) {
    // Code points of names beyond the basic plane make '.' span two chars; the general way handles
    // these.
    if (name.codePointCount(0, name.length()) != name.length()) {
      String bmp =
          name.codePoints()
              .map(c -> c > 0xffff ? 0xfffd : c)
              .collect(StringBuilder::new, StringBuilder::appendCodePoint, StringBuilder::append)
              .toString();
      return matchesPlainTail(bmp, budget);
    }
    int shift = name.length() - pattern.length();
    int steps = 1;
    boolean same = shift == 0 || (shift > 0 && name.charAt(shift - 1) == '.');
    for (int i = pattern.length() - 1; same && i >= 0; i--, steps++) {
      char wanted = pattern.charAt(i);
      same = wanted == '.' || wanted == name.charAt(shift + i);
    }
    budget.spend(steps, pattern);
    return same;
  }
}
