package dev.graft.match;

/** Whether a whole tensor goes into the file as the adapter has it. */
public enum Turn {
  AS_IS,
  TRANSPOSED
}
