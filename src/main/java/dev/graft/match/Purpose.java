package dev.graft.match;

/** What an adapter is bound for, which decides what a weight has to be like. */
public enum Purpose {
  /** Weights take new values, so they have to be floats. */
  FOLD,
  /** Weights stay as they are; products are added beside them, whatever they are stored in. */
  BRANCH
}
