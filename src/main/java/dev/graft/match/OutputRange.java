package dev.graft.match;

/**
 * Some of the output features of a weight or of an adapter's pair, next to each other. Packed
 * weights hold several modules' outputs in one tensor; a split graph takes one module's outputs
 * from several.
 *
 * @param from the first one
 * @param count how many
 */
public record OutputRange(long from, long count) {

  /** However many there are. */
  public static final OutputRange ALL = new OutputRange(0, Long.MAX_VALUE);

  /** Refuses what is no range. */
  public OutputRange {
    if (from < 0 || count <= 0) {
      throw new IllegalArgumentException("no range of outputs: " + count + " from " + from);
    }
  }

  /** Whether these are all. */
  public boolean isAll() {
    return equals(ALL);
  }

  /** How many these are of so many outputs. */
  public long countOf(long outputs) {
    return isAll() ? outputs : count;
  }

  /** Whether both hold the same output. */
  boolean overlaps(OutputRange other) {
    return isAll()
        || other.isAll()
        || (from < other.from + other.count && other.from < from + count);
  }

  @Override
  public String toString() {
    return isAll() ? "all outputs" : "outputs " + from + " to " + (from + count - 1);
  }
}
