package dev.graft.runtime;

/**
 * One axis of a model's input or output as the model declares it.
 *
 * @param size the length, or {@link #FREE} where any length may be fed
 * @param symbol the name of a free axis, empty where it has none; axes of one name have one length
 */
public record Dimension(long size, String symbol) {

  /** The size of an axis whose length is decided by what is fed. */
  public static final long FREE = -1;

  /** Whether any length may be fed. */
  public boolean isFree() {
    return size < 0;
  }

  /** The length, or the name of the free axis, {@code ?} if it has no name. */
  @Override
  public String toString() {
    if (!isFree()) {
      return Long.toString(size);
    }
    return symbol.isEmpty() ? "?" : symbol;
  }
}
