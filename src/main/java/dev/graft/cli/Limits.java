package dev.graft.cli;

import dev.graft.error.UsageException;

/** What numbers an option takes. */
final class Limits {

  private Limits() {}

  static void requirePositive(String option, long value) {
    if (value < 1) {
      throw new UsageException(option + " is " + value + ", expected 1 or more");
    }
  }

  static void requireAtLeastZero(String option, double value) {
    if (!(value >= 0) || Double.isInfinite(value)) {
      throw new UsageException(option + " is " + value + ", expected a finite number of 0 or more");
    }
  }

  /** For what is a part of a whole, but never all of it. */
  static void requirePart(String option, double value) {
    if (!(value >= 0 && value < 1)) {
      throw new UsageException(option + " is " + value + ", expected 0 or more and less than 1");
    }
  }
}
