package dev.graft.fold;

/** What is kept of a merge, beside the merged model, for taking it back. */
public enum UndoPolicy {
  /** All that is needed. */
  KEPT,
  /** All but the adapter's tensors, which then have to be given. */
  WITHOUT_ADAPTER,
  /** Nothing. */
  NONE
}
