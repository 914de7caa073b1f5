package dev.graft.match;

/** What becomes of a weight that the embedding and the layer over the vocabulary share. */
public enum Ties {
  /** Each half gets what it had while the adapter was active, as it was trained. */
  ACTIVE,
  /**
   * What PEFT's merge gives: it writes into the shared tensor, so both halves get what either had.
   */
  PEFT_MERGE
}
