package dev.graft.train;

import java.util.Optional;

/**
 * One row of the data, tokenised.
 *
 * @param line its line in the file, from 1
 * @param inputIds token ids
 * @param attentionMask 1 for tokens, 0 for padding that the row brought along
 * @param tokenTypeIds segments, if the row has them
 * @param label what the model should say
 */
@SuppressWarnings("ArrayRecordComponent") // never compared, only read
record Row(
    long line,
    long[] inputIds,
    long[] attentionMask,
    Optional<long[]> tokenTypeIds,
    RowLabel label) {

  int length() {
    return inputIds.length;
  }
}
