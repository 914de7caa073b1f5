package dev.graft.inject;

/**
 * A module with a branch.
 *
 * @param name its name
 * @param rank the rank of its pair
 * @param scale what B·A is multiplied with
 */
record HeldModule(String name, int rank, double scale) {

  /** PEFT's alpha, which over the rank gives the scale back without a rounding. */
  double alpha() {
    return scale * rank;
  }
}
