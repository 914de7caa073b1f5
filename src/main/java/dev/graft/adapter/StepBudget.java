package dev.graft.adapter;

import dev.graft.error.FormatException;
import dev.graft.safetensors.StrictJson;

/**
 * Counts the steps of pattern matching, so that a stranger's pattern costs bounded time whatever it
 * says.
 */
final class StepBudget {

  private final long most;
  private long left;

  StepBudget(long most) {
    this.most = most;
    this.left = most;
  }

  /** Pays for work on a pattern. */
  void spend(long steps, String pattern) {
    left -= steps;
    if (left < 0) {
      throw new FormatException(
          "pattern "
              + StrictJson.excerpt(pattern)
              + ": matching was given up after "
              + most
              + " steps; write the pattern without nested repetition");
    }
  }

  /** Steps taken so far. */
  long spent() {
    return most - left;
  }
}
