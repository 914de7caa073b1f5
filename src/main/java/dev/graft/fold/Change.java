package dev.graft.fold;

import dev.graft.adapter.LoraPair.Factors;
import dev.graft.match.Layout;
import dev.graft.match.OutputRange;
import dev.graft.match.Turn;
import dev.graft.safetensors.SafetensorsTensor;
import java.util.List;

/** What happens to one stored tensor. */
sealed interface Change {

  /**
   * A low-rank product is added.
   *
   * @param factors A, {@code [r, in]} or {@code [r, in, k..]} for a kernel, and B, {@code [out, r]}
   * @param outputs the rows of B that count
   * @param scale the factor on B·A, everything counted in
   * @param layout how the stored weight is turned
   */
  record LowRank(Factors factors, OutputRange outputs, float scale, Layout layout)
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
   * A low-rank product is added for every expert: {@code W[e] + s·B[e]·A[e]}.
   *
   * @param factors A, {@code [E · r, in]}, and B, {@code [out, r · E]}
   * @param experts E
   * @param scale the factor on B·A
   * @param layout how each expert's stored matrix is turned
   */
  record Experts(Factors factors, int experts, float scale, Layout layout) implements Change {}

  /**
   * Some rows of a token table take the places of the stored ones.
   *
   * @param values the new rows, {@code [n, width]}
   * @param indices which row of the table each replaces
   * @param layout {@code OUT_IN} if the stored rows are the table's, {@code IN_OUT} if its columns
   *     are
   */
  record Rows(SafetensorsTensor values, List<Long> indices, Layout layout) implements Change {

    /** Keeps an own copy. */
    public Rows {
      indices = List.copyOf(indices);
    }
  }

  /**
   * A whole tensor takes its place.
   *
   * @param value the new values
   * @param outputs the values' outputs that count
   * @param turn how they go in
   */
  record Whole(SafetensorsTensor value, OutputRange outputs, Turn turn) implements Change {}

  /**
   * A vector is added.
   *
   * @param value {@code [out]}
   * @param outputs the values that count
   * @param scale the factor on them, everything counted in
   */
  record Shift(SafetensorsTensor value, OutputRange outputs, float scale) implements Change {}
}
