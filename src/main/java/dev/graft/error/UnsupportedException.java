package dev.graft.error;

/** The input is valid, but Graft refuses it because it cannot treat it exactly (exit code 4). */
public final class UnsupportedException extends GraftException {

  private static final long serialVersionUID = 1L;

  /** Makes the error with the message that the user reads. */
  public UnsupportedException(String message) {
    super(message, null);
  }

  /** Makes the error with the message that the user reads and what caused it. */
  public UnsupportedException(String message, Throwable cause) {
    super(message, cause);
  }
}
