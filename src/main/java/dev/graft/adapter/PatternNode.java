package dev.graft.adapter;

import java.util.BitSet;
import java.util.List;
import java.util.function.IntPredicate;

/**
 * A part of a pattern: from the positions where it may begin it computes those where it may end.
 */
sealed interface PatternNode {

  /** The text under match, with the budget that pays for it. */
  final class Text {
    private final int[] codePoints;
    private final StepBudget budget;
    private final String pattern;

    Text(String name, StepBudget budget, String pattern) {
      this.codePoints = name.codePoints().toArray();
      this.budget = budget;
      this.pattern = pattern;
    }

    int length() {
      return codePoints.length;
    }

    int codePoint(int index) {
      return codePoints[index];
    }

    boolean endsWithNewline() {
      return codePoints.length > 0 && codePoints[codePoints.length - 1] == '\n';
    }

    boolean isWord(int index) {
      return index >= 0 && index < codePoints.length && CharacterSets.isWord(codePoints[index]);
    }

    void spend(BitSet positions) {
      // A bit set is scanned by words, so its cost grows with the text even where it is sparse.
      budget.spend(1 + positions.cardinality() + codePoints.length / 64, pattern);
    }

    BitSet at(int position) {
      BitSet set = new BitSet(codePoints.length + 1);
      set.set(position);
      return set;
    }
  }

  /**
   * The positions where this part may end, given those where it may begin; the argument stays as it
   * is.
   */
  BitSet ends(BitSet starts, Text text);

  /**
   * One character.
   *
   * @param wanted which
   */
  record One(IntPredicate wanted) implements PatternNode {
    @Override
    public BitSet ends(BitSet starts, Text text) {
      text.spend(starts);
      BitSet result = new BitSet(text.length() + 1);
      for (int i = starts.nextSetBit(0);
          i >= 0 && i < text.length();
          i = starts.nextSetBit(i + 1)) {
        if (wanted.test(text.codePoint(i))) {
          result.set(i + 1);
        }
      }
      return result;
    }
  }

  /**
   * Parts after each other.
   *
   * @param parts in order
   */
  record Sequence(List<PatternNode> parts) implements PatternNode {
    @Override
    public BitSet ends(BitSet starts, Text text) {
      text.spend(starts);
      BitSet at = (BitSet) starts.clone();
      for (PatternNode part : parts) {
        if (at.isEmpty()) {
          break;
        }
        at = part.ends(at, text);
      }
      return at;
    }
  }

  /**
   * Any of several parts.
   *
   * @param choices the parts
   */
  record Choice(List<PatternNode> choices) implements PatternNode {
    @Override
    public BitSet ends(BitSet starts, Text text) {
      BitSet result = new BitSet(text.length() + 1);
      for (PatternNode choice : choices) {
        text.spend(starts);
        result.or(choice.ends(starts, text));
      }
      return result;
    }
  }

  /**
   * A part repeated.
   *
   * @param part what
   * @param least how often at least
   * @param most how often at most
   */
  record Repeat(PatternNode part, int least, int most) implements PatternNode {
    @Override
    public BitSet ends(BitSet starts, Text text) {
      BitSet at = (BitSet) starts.clone();
      // Positions only move on or stay. After as many rounds as the text is long, one that still
      // moves has stayed
      // somewhere before, and could stay there once more: further rounds change nothing.
      int forced = Math.min(least, text.length() + 1);
      for (int i = 0; i < forced && !at.isEmpty(); i++) {
        text.spend(at);
        at = part.ends(at, text);
      }
      BitSet reached = (BitSet) at.clone();
      int optional = Math.min(most - least, text.length() + 1);
      for (int i = 0; i < optional && !at.isEmpty(); i++) {
        text.spend(at);
        at = part.ends(at, text);
        at.andNot(reached);
        reached.or(at);
      }
      return reached;
    }
  }

  /** A condition on a place that takes no text. */
  enum Place implements PatternNode {
    START {
      @Override
      boolean holds(int i, Text text) {
        return i == 0;
      }
    },
    END {
      @Override
      boolean holds(int i, Text text) {
        return i == text.length() || (i == text.length() - 1 && text.endsWithNewline());
      }
    },
    VERY_END {
      @Override
      boolean holds(int i, Text text) {
        return i == text.length();
      }
    },
    WORD_BOUNDARY {
      @Override
      boolean holds(int i, Text text) {
        return text.isWord(i - 1) != text.isWord(i);
      }
    },
    NO_WORD_BOUNDARY {
      @Override
      boolean holds(int i, Text text) {
        return text.isWord(i - 1) == text.isWord(i);
      }
    };

    abstract boolean holds(int i, Text text);

    @Override
    public BitSet ends(BitSet starts, Text text) {
      text.spend(starts);
      BitSet result = (BitSet) starts.clone();
      for (int i = starts.nextSetBit(0); i >= 0; i = starts.nextSetBit(i + 1)) {
        result.set(i, holds(i, text));
      }
      return result;
    }
  }

  /**
   * A lookahead.
   *
   * @param part what must, or must not, follow
   * @param wanted which of the two
   */
  record Ahead(PatternNode part, Presence wanted) implements PatternNode {
    enum Presence {
      FOLLOWS,
      DOES_NOT_FOLLOW
    }

    @Override
    public BitSet ends(BitSet starts, Text text) {
      BitSet result = (BitSet) starts.clone();
      for (int i = starts.nextSetBit(0); i >= 0; i = starts.nextSetBit(i + 1)) {
        boolean follows = !part.ends(text.at(i), text).isEmpty();
        result.set(i, follows == (wanted == Presence.FOLLOWS));
      }
      return result;
    }
  }
}
