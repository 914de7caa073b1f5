package dev.graft.adapter;

import dev.graft.error.FormatException;
import dev.graft.safetensors.StrictJson;

/**
 * Counts the steps of matching names with patterns and lists, so that a stranger's configuration
 * costs bounded time whatever it says.
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

  /** Pays for looking up a name in a list of the configuration. */
  void spend(long steps, ConfigField list) {
    left -= steps;
    if (left < 0) {
      throw new FormatException(
          list.key()
              + ": looking up the tensors' names was given up after "
              + most
              + " steps; no real adapter has lists and names so long");
    }
  }

  /** Steps taken so far. */
  long spent() {
    return most - left;
  }
}
