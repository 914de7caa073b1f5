package dev.graft.fuzz;

import java.util.random.RandomGenerator;

/** Makes a new input of one that is known. */
interface Mutator {

  /** Longer inputs would only cost time: what they show, shorter ones show too. */
  int MAX_BYTES = 1 << 16;

  /**
   * Changes an input.
   *
   * @param input what to begin with; stays as it is
   * @param donor another input of the same kind, to take parts from
   * @param random decides everything
   */
  byte[] mutate(byte[] input, byte[] donor, RandomGenerator random);
}
