package dev.graft.undo;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * Finds the few values of a row that subtraction may not give back. Most rows have hardly any, so
 * that all of them are looked at in loops that the compiler vectorises: it does so with integers
 * and with floats, but not where one is taken for the other.
 */
final class Doubts {

  private static final int EXPONENT = 0x7f800000;
  private static final int MAGNITUDE = 0x7fffffff;

  /** So many values are passed over at once if none is in doubt. */
  private static final int GROUP = 8;

  private final Grid grid;
  private final int[] before;
  private final int[] after;
  private final int[] guess;
  private final int[] off;
  private final int[] doubts;
  private final int[] places;
  private final float[] distance;

  /**
   * Makes room.
   *
   * @param grid the tensor's type
   * @param capacity the most values that are given at once
   */
  Doubts(Grid grid, int capacity) {
    this.grid = grid;
    this.before = new int[capacity];
    this.after = new int[capacity];
    this.guess = new int[capacity];
    this.off = new int[capacity];
    this.doubts = new int[capacity];
    this.places = new int[capacity];
    this.distance = new float[capacity];
  }

  /**
   * Looks at the values of a row.
   *
   * @param newValues W'
   * @param added d
   * @param guesses {@code round(W' − d)}
   * @param count how many
   */
  void look(float[] newValues, float[] added, float[] guesses, int count) {
    distances(newValues, added, guesses, count);
    bits(newValues, after, count);
    bits(guesses, guess, count);
    bits(distance, off, count);
    int half = grid.halfStepExponent();
    for (int i = 0; i < count; i++) {
      int size = after[i] & EXPONENT;
      int halfStep = Math.max(size - half, 0);
      doubts[i] =
          (((guess[i] & EXPONENT) - size) >>> 31)
              | ((((off[i] & MAGNITUDE) - halfStep) >>> 31) ^ 1);
    }
  }

  /** Puts those in doubt as well that were not what was guessed. */
  void compare(float[] oldValues, int count) {
    bits(oldValues, before, count);
    for (int i = 0; i < count; i++) {
      doubts[i] |= guess[i] ^ before[i];
    }
  }

  /** Exact wherever it matters: both differences are of neighbours. */
  private void distances(float[] newValues, float[] added, float[] guesses, int count) {
    for (int i = 0; i < count; i++) {
      distance[i] = (newValues[i] - guesses[i]) - added[i];
    }
  }

  private static void bits(float[] values, int[] into, int count) {
    MemorySegment.copy(MemorySegment.ofArray(values), ValueLayout.JAVA_INT, 0, into, 0, count);
  }

  /** Collects the values in doubt, and says how many there are. */
  int collect(int count) {
    int found = 0;
    int at = 0;
    for (; at + GROUP <= count; at += GROUP) {
      int any =
          (doubts[at] | doubts[at + 1] | doubts[at + 2] | doubts[at + 3])
              | (doubts[at + 4] | doubts[at + 5] | doubts[at + 6] | doubts[at + 7]);
      if (any != 0) {
        found = collect(at, at + GROUP, found);
      }
    }
    return collect(at, count, found);
  }

  private int collect(int from, int to, int before) {
    int found = before;
    for (int i = from; i < to; i++) {
      if (doubts[i] != 0) {
        places[found++] = i;
      }
    }
    return found;
  }

  /** Which value a collected one is. */
  int place(int number) {
    return places[number];
  }

  /**
   * Whether more than one value may fit; decided alike where the record is written and where it is
   * read. That is so where the guess has a smaller exponent than W', and where {@code W' − d} lies
   * just in the middle between two values, both of which rounding made W'.
   */
  boolean isOpen(int at) {
    int size = after[at] & EXPONENT;
    return (guess[at] & EXPONENT) < size
        || (off[at] & MAGNITUDE) >= Math.max(size - grid.halfStepExponent(), 0);
  }
}
