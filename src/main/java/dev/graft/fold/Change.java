package dev.graft.fold;

import dev.graft.match.Layout;
import dev.graft.match.OutputRange;
import dev.graft.match.Turn;
import dev.graft.safetensors.SafetensorsTensor;

/** What happens to one stored tensor. */
sealed interface Change {

  /**
   * A low-rank product is added.
   *
   * @param a {@code [r, in]}, or {@code [r, in, k..]} for a kernel
   * @param b {@code [out, r]}
   * @param outputs the rows of B that count
   * @param scale the factor on B·A, everything counted in
   * @param layout how the stored weight is turned
   */
  record LowRank(
      SafetensorsTensor a, SafetensorsTensor b, OutputRange outputs, float scale, Layout layout)
      implements Change {}

  /**
   * DoRA: a low-rank product is added, then every output's weights are brought to a learned length:
   * {@code m / ‖W + s·B·A‖ · (W + s·B·A)}, the norm over the inputs.
   *
   * @param lowRank what is added
   * @param magnitude m, {@code [out]}, of which the outputs of the product count
   * @param alpha the operator's own factor on the product, which the norm has to count in
   */
  record Dora(LowRank lowRank, SafetensorsTensor magnitude, float alpha) implements Change {}

  /**
   * A whole tensor takes its place.
   *
   * @param value the new values
   * @param outputs the values' outputs that count
   * @param turn how they go in
   */
  record Whole(SafetensorsTensor value, OutputRange outputs, Turn turn) implements Change {}
}
