package dev.graft.undo;

/** What subtraction alone does not give back of a tensor. */
public final class Corrections {

  private final byte[] choices;
  private final byte[] exceptions;

  /**
   * Takes what a {@link CorrectionWriter} made; the arrays must not change afterwards.
   *
   * @param choices which of several values that fit it was, a few bits for each weight that has
   *     such a choice, in order
   * @param exceptions values that are none of those that fit
   */
  public Corrections(byte[] choices, byte[] exceptions) {
    this.choices = choices;
    this.exceptions = exceptions;
  }

  /** Which of several values that fit it was; not a copy. */
  public byte[] choices() {
    return choices;
  }

  /** Values that are none of those that fit; not a copy. */
  public byte[] exceptions() {
    return exceptions;
  }

  /** Bytes of both. */
  public long lengthBytes() {
    return (long) choices.length + exceptions.length;
  }
}
