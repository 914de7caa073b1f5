package dev.graft.undo;

/**
 * The values that a weight may have had where what was added to was also multiplied: {@code W' =
 * round(f · (W + d))}, sum and product each rounded to float32. The product only ever grows or only
 * ever falls with W, so that the values that give W' are neighbours; the last step is to try them.
 */
final class ScaledCandidates {

  /** Twice the error of a float32 rounding, relative. */
  private static final double SLACK = 0x1p-23;

  private final Grid grid;
  private float after;
  private float added;
  private float factor;
  private int first;
  private long count;

  ScaledCandidates(Grid grid) {
    this.grid = grid;
  }

  /**
   * Finds the values that give W'.
   *
   * @param after W'
   * @param added d
   * @param factor f
   */
  void find(float after, float added, float factor) {
    this.after = after;
    this.added = added;
    this.factor = factor;
    double sum = (double) after / factor;
    double middle = sum - added;
    double radius =
        (grid.ulp(after) / 2 + Float.MIN_VALUE) / Math.abs((double) factor)
            + Math.abs(sum) * SLACK
            + Float.MIN_VALUE;
    if (!(Math.abs(middle) + radius < Float.MAX_VALUE)) {
      first = grid.placeOf(0f);
      count = 0;
      return;
    }
    int low = grid.ceiling(middle - radius);
    int high = grid.floor(middle + radius);
    first = border(low, high, 0);
    count = low <= high ? (long) border(low, high, 1) - first : 0;
  }

  /**
   * The first place from {@code low} on whose value reaches W', or passes it; one behind {@code
   * high} if there is none.
   *
   * @param reached 0 for the first that reaches W', 1 for the first that passes it
   */
  private int border(int low, int high, int reached) {
    int from = low;
    int to = high + 1;
    while (from < to) {
      int middle = from + (int) (((long) to - from) / 2);
      if (compared(grid.at(middle)) < reached) {
        from = middle + 1;
      } else {
        to = middle;
      }
    }
    return from;
  }

  /** Whether a value gives less than W' (−1), W' itself (0) or more (1), the way f turns it. */
  private int compared(float value) {
    float sum = value + added;
    int order = Integer.compare(grid.placeOf(factor * sum), grid.placeOf(after));
    return Integer.signum(factor < 0 ? -order : order);
  }

  /** Whether any value gives W'. */
  boolean isEmpty() {
    return count <= 0;
  }

  /** How many bits tell them apart. */
  int bits() {
    return count <= 1 ? 0 : Long.SIZE - Long.numberOfLeadingZeros(count - 1);
  }

  /** The number of a value among them, or −1 if it is none of them. */
  int numberOf(float value) {
    long number = (long) grid.placeOf(value) - first;
    return number >= 0 && number < count ? (int) number : -1;
  }

  /** The value of a number; of 0 some value even if none gives W'. */
  float valueOf(int number) {
    return grid.at((int) (first + Integer.toUnsignedLong(number)));
  }
}
