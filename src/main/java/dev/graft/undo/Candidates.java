package dev.graft.undo;

/**
 * The values that a weight may have had, in the order of its type's {@link Grid}, by what it became
 * and what was added to it.
 *
 * <p>With {@code W' = round(W + d)} the old value lies within half a unit in the last place of
 * {@code W'} around {@code W' − d}. Where {@code W} had the exponent of {@code W'} or a larger one,
 * that is a single value. Where it had a smaller one, the type's values lie denser there and
 * several fit: which of them it was is all that an undo record has to say.
 */
final class Candidates {

  private final Grid grid;
  private int first;
  private long count;

  Candidates(Grid grid) {
    this.grid = grid;
  }

  /**
   * Finds the values that fit.
   *
   * @param after W'
   * @param added d
   */
  void find(float after, float added) {
    double middle = (double) after - added;
    double radius = grid.ulp(after) / 2;
    first = grid.ceiling(middle - radius);
    count = Math.max(1, (long) grid.floor(middle + radius) - first + 1);
  }

  /** How many bits tell them apart. */
  int bits() {
    return Long.SIZE - Long.numberOfLeadingZeros(count - 1);
  }

  /** The number of a value among them, or −1 if it is none of them. */
  int numberOf(float value) {
    long number = (long) grid.placeOf(value) - first;
    return number >= 0 && number < count ? (int) number : -1;
  }

  /** The value of a number. */
  float valueOf(int number) {
    return grid.at((int) (first + Integer.toUnsignedLong(number)));
  }
}
