package dev.graft.train;

/** What a row of the data says that the model should have said. */
sealed interface RowLabel {

  /** Labels that the loss passes over, as PyTorch has it. */
  long IGNORED = -100;

  /**
   * A class for every token, {@link #IGNORED} where there is none.
   *
   * @param ids as many as the row has tokens
   */
  @SuppressWarnings("ArrayRecordComponent") // never compared, only read
  record Tokens(long[] ids) implements RowLabel {}

  /**
   * One class for the row, or {@link #IGNORED}.
   *
   * @param id its number
   */
  record Category(long id) implements RowLabel {}

  /**
   * Numbers for the row: 0 or 1 for each of several labels, or what a regression should give.
   *
   * @param values one for each output of the model
   */
  @SuppressWarnings("ArrayRecordComponent") // never compared, only read
  record Values(float[] values) implements RowLabel {}
}
