package dev.graft.adapter;

import java.util.ArrayDeque;
import java.util.BitSet;
import java.util.Deque;
import org.jspecify.annotations.Nullable;

/**
 * A name under match, with the budget that pays for it. One text serves all patterns of a table,
 * and keeps the sets of positions that they have done with: a pattern made to explode then costs
 * time, which is bounded, but no memory.
 */
final class PatternText {

  private final String name;
  private final StepBudget budget;
  private final boolean hasNewline;
  private final Deque<BitSet> free = new ArrayDeque<>();
  private String pattern = "";
  private int @Nullable [] codePoints;
  private @Nullable String withoutSurrogates;

  PatternText(String name, StepBudget budget) {
    this.name = name;
    this.budget = budget;
    this.hasNewline = name.indexOf('\n') >= 0;
  }

  /** Says which pattern is matched from now on, for messages. */
  void matching(String next) {
    pattern = next;
  }

  /** The name, each character beyond the basic plane as one of it that stands in no pattern. */
  String withoutSurrogates() {
    if (withoutSurrogates == null) {
      withoutSurrogates =
          name.codePointCount(0, name.length()) == name.length()
              ? name
              : name.codePoints()
                  .map(c -> c > 0xffff ? 0xfffd : c)
                  .collect(
                      StringBuilder::new, StringBuilder::appendCodePoint, StringBuilder::append)
                  .toString();
      budget.spend(name.length(), pattern);
    }
    return withoutSurrogates;
  }

  private int[] codePoints() {
    if (codePoints == null) {
      codePoints = name.codePoints().toArray();
      budget.spend(name.length(), pattern);
    }
    return codePoints;
  }

  int length() {
    return codePoints().length;
  }

  int codePoint(int index) {
    return codePoints()[index];
  }

  boolean hasNewline() {
    return hasNewline;
  }

  boolean endsWithNewline() {
    return name.endsWith("\n");
  }

  boolean isWord(int index) {
    return index >= 0 && index < length() && CharacterSets.isWord(codePoint(index));
  }

  /** Pays for going over some positions. */
  void spend(BitSet positions) {
    // A bit set is scanned by words, so its cost grows with the text even where it is sparse.
    budget.spend(1 + positions.cardinality() + length() / 64, pattern);
  }

  /** Pays for so many steps. */
  void spend(int steps) {
    budget.spend(steps, pattern);
  }

  BitSet none() {
    BitSet set = free.poll();
    return set == null ? new BitSet(length() + 1) : set;
  }

  BitSet at(int position) {
    BitSet set = none();
    set.set(position);
    return set;
  }

  BitSet copy(BitSet of) {
    BitSet set = none();
    set.or(of);
    return set;
  }

  /** Takes back a set that nobody looks at any more. */
  void release(BitSet set) {
    set.clear();
    free.push(set);
  }

  /** Takes back a set and returns the one that comes in its place. */
  BitSet instead(BitSet old, BitSet next) {
    release(old);
    return next;
  }
}
