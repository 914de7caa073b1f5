package dev.graft.adapter;

import java.util.BitSet;
import org.jspecify.annotations.Nullable;

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

  /** What parsing costs. */
  private static final int STEPS_PER_CHARACTER = 50;

  private final String pattern;
  private final boolean plain;

  /** Null for a plain pattern, which as a rule needs none; there may be many thousand. */
  private final @Nullable PatternNode parsed;

  private ModulePattern(String pattern) {
    this.pattern = pattern;
    this.plain =
        pattern.length() <= PatternParser.MAX_CHARS
            && pattern.chars().allMatch(c -> c == '.' || c == '_' || c == '-' || isAsciiWord(c));
    this.parsed = plain ? null : PatternParser.parse(pattern);
  }

  /**
   * Compiles a pattern.
   *
   * @throws dev.graft.error.FormatException if Python would refuse it
   * @throws dev.graft.error.UnsupportedException if it uses a construct that Graft does not match
   */
  static ModulePattern of(String pattern) {
    return new ModulePattern(pattern);
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
    PatternText text = new PatternText(name, budget);
    text.matching(pattern);
    return root(text).ends(text.at(0), text).get(text.length());
  }

  /**
   * Whether a name or its tail after some dot matches: PEFT's {@code re.match("(.*\.)?(KEY)$",
   * name)}.
   */
  boolean matchesTail(String name, StepBudget budget) {
    return matchesTail(new PatternText(name, budget));
  }

  /** Whether a name or its tail matches; the text may have been matched with other patterns. */
  boolean matchesTail(PatternText text) {
    text.matching(pattern);
    // Nearly all patterns are names; on these the general way would cost a hundred times as much.
    if (plain && !text.hasNewline()) {
      return matchesPlainTail(text);
    }
    BitSet starts = text.at(0);
    for (int i = 0; i < text.length() && text.codePoint(i) != '\n'; i++) {
      if (text.codePoint(i) == '.') {
        starts.set(i + 1);
      }
    }
    BitSet ends = root(text).ends(starts, text);
    boolean matches =
        ends.get(text.length()) || (text.endsWithNewline() && ends.get(text.length() - 1));
    text.release(starts);
    text.release(ends);
    return matches;
  }

  private PatternNode root(PatternText text) {
    if (parsed != null) {
      return parsed;
    }
    text.spend(STEPS_PER_CHARACTER * pattern.length());
    return PatternParser.parse(pattern);
  }

  private boolean matchesPlainTail(PatternText text) {
    String name = text.withoutSurrogates();
    int shift = name.length() - pattern.length();
    int steps = 1;
    boolean same = shift == 0 || (shift > 0 && name.charAt(shift - 1) == '.');
    for (int i = pattern.length() - 1; same && i >= 0; i--, steps++) {
      char wanted = pattern.charAt(i);
      same = wanted == '.' || wanted == name.charAt(shift + i);
    }
    text.spend(steps);
    return same;
  }
}
