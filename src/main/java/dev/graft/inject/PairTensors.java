package dev.graft.inject;

import java.util.Optional;

/**
 * The initializers of one low-rank pair, by name; or the inputs that its values come in by.
 *
 * @param kind which of the two
 * @param module the file's name for the module
 * @param a A as {@code [in, r]}; a kernel as PEFT has it, {@code [r, in, k..]}
 * @param b B as {@code [r, out]}; for a kernel {@code [out, r, 1..]}
 * @param scale the factor on B·A, one float32; a slot's B has it in its values
 * @param biasOfB the bias of B, {@code [out]}
 * @param magnitude DoRA's m, {@code [out]}; of a slot the factor m / ‖W + s·B·A‖
 */
record PairTensors(
    Kind kind,
    String module,
    String a,
    String b,
    Optional<String> scale,
    Optional<String> biasOfB,
    Optional<String> magnitude) {

  /** How the values of a pair get into the graph. */
  enum Kind {
    /** They are in it, in the adapter's own bits. */
    INITIALIZERS,
    /** They are fed at run time as float32, ready for use. */
    SLOTS
  }

  boolean isSlot() {
    return kind == Kind.SLOTS;
  }
}
