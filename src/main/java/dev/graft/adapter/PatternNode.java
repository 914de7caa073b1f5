package dev.graft.adapter;

import java.util.BitSet;
import java.util.List;
import java.util.function.IntPredicate;

/**
 * A part of a pattern: from the positions where it may begin it computes those where it may end.
 */
sealed interface PatternNode {

  /**
   * The positions where this part may end, given those where it may begin; the argument stays as it
   * is, the result is the caller's, who gives it back with {@link PatternText#release}.
   */
  BitSet ends(BitSet starts, PatternText text);

  /**
   * One character.
   *
   * @param wanted which
   */
  record One(IntPredicate wanted) implements PatternNode {
    @Override
    public BitSet ends(BitSet starts, PatternText text) {
      text.spend(starts);
      BitSet result = text.none();
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
    public BitSet ends(BitSet starts, PatternText text) {
      text.spend(starts);
      BitSet at = text.copy(starts);
      for (PatternNode part : parts) {
        if (at.isEmpty()) {
          break;
        }
        at = text.instead(at, part.ends(at, text));
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
    public BitSet ends(BitSet starts, PatternText text) {
      BitSet result = text.none();
      for (PatternNode choice : choices) {
        text.spend(starts);
        BitSet one = choice.ends(starts, text);
        result.or(one);
        text.release(one);
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
    public BitSet ends(BitSet starts, PatternText text) {
      BitSet at = text.copy(starts);
      // Positions only move on or stay. After as many rounds as the text is long, one that still
      // moves has stayed
      // somewhere before, and could stay there once more: further rounds change nothing.
      int forced = Math.min(least, text.length() + 1);
      for (int i = 0; i < forced && !at.isEmpty(); i++) {
        text.spend(at);
        at = text.instead(at, part.ends(at, text));
      }
      BitSet reached = text.copy(at);
      int optional = Math.min(most - least, text.length() + 1);
      for (int i = 0; i < optional && !at.isEmpty(); i++) {
        text.spend(at);
        at = text.instead(at, part.ends(at, text));
        at.andNot(reached);
        reached.or(at);
      }
      text.release(at);
      return reached;
    }
  }

  /** A condition on a place that takes no text. */
  enum Place implements PatternNode {
    START {
      @Override
      boolean holds(int i, PatternText text) {
        return i == 0;
      }
    },
    END {
      @Override
      boolean holds(int i, PatternText text) {
        return i == text.length() || (i == text.length() - 1 && text.endsWithNewline());
      }
    },
    VERY_END {
      @Override
      boolean holds(int i, PatternText text) {
        return i == text.length();
      }
    },
    WORD_BOUNDARY {
      @Override
      boolean holds(int i, PatternText text) {
        return text.isWord(i - 1) != text.isWord(i);
      }
    },
    NO_WORD_BOUNDARY {
      @Override
      boolean holds(int i, PatternText text) {
        return text.isWord(i - 1) == text.isWord(i);
      }
    };

    abstract boolean holds(int i, PatternText text);

    @Override
    public BitSet ends(BitSet starts, PatternText text) {
      text.spend(starts);
      BitSet result = text.copy(starts);
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
    public BitSet ends(BitSet starts, PatternText text) {
      BitSet result = text.copy(starts);
      for (int i = starts.nextSetBit(0); i >= 0; i = starts.nextSetBit(i + 1)) {
        BitSet here = text.at(i);
        BitSet ends = part.ends(here, text);
        boolean follows = !ends.isEmpty();
        text.release(here);
        text.release(ends);
        result.set(i, follows == (wanted == Presence.FOLLOWS));
      }
      return result;
    }
  }
}
