package dev.graft.inject;

import java.util.Optional;

/**
 * The initializers of one low-rank pair, by name.
 *
 * @param module the file's name for the module
 * @param a A as {@code [in, r]}; a kernel as PEFT has it, {@code [r, in, k..]}
 * @param b B as {@code [r, out]}; for a kernel {@code [out, r, 1..]}
 * @param scale the factor on B·A, one float32
 * @param biasOfB the bias of B, {@code [out]}
 * @param magnitude DoRA's m, {@code [out]}
 */
record PairTensors(
    String module,
    String a,
    String b,
    String scale,
    Optional<String> biasOfB,
    Optional<String> magnitude) {}
