package dev.graft.fuzz;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.function.IntSupplier;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/** Holds hostile files made by hand to what the campaigns hold theirs to. */
final class Bounds {

  /** A file of megabytes may take more than 64 MB to refuse, but not out of proportion. */
  private static final long BYTES_PER_BYTE = 256;

  private Bounds() {}

  /**
   * Reads once more if the first time took too long, for it also compiles the code.
   *
   * @param length of the file
   * @param reading opens it
   */
  static Trial hold(long length, IntSupplier reading) {
    Trial trial = Trial.of(reading);
    if (trial.isSlow()) {
      trial = Trial.of(reading);
    }
    assertThat(trial.isOrderly()).as("%s", trial.words()).isTrue();
    assertThat(trial.isSlow()).as("%s", trial.words()).isFalse();
    if (trial.isLarge()) {
      assertThat(trial.allocated()).as("%s", trial.words()).isLessThan(BYTES_PER_BYTE * length);
    }
    return trial;
  }

  /** One of 2^n names that {@link String#hashCode} cannot tell apart. */
  static String collision(int number, int bits) {
    return IntStream.range(0, bits)
        .mapToObj(bit -> (number >> bit & 1) == 0 ? "Aa" : "BB")
        .collect(Collectors.joining());
  }
}
