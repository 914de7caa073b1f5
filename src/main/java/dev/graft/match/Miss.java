package dev.graft.match;

import java.util.List;

/**
 * An adapter's target that found no place.
 *
 * @param name the adapter's name for it
 * @param reason why not
 * @param nearest names in the file that look most alike
 * @param cause whether it could never be folded as the file is
 */
public record Miss(String name, String reason, List<String> nearest, Cause cause) {

  /** What stands in the way. */
  public enum Cause {
    /** Nothing of that name. */
    ABSENT,
    /** Something of that name, but it does not fit. */
    NO_FIT,
    /** The weight is there, but quantised. */
    QUANTISED,
    /** The weight is there, but Graft cannot change it exactly. */
    UNSUPPORTED
  }

  @Override
  public String toString() {
    return name
        + ": "
        + reason
        + (nearest.isEmpty() ? "" : "; nearest: " + String.join(", ", nearest));
  }
}
