package dev.graft.error;

/** An input file is missing, unreadable, damaged or not what its format demands (exit code 3). */
public final class FormatException extends GraftException {

  private static final long serialVersionUID = 1L;

  /** Makes the error with the message that the user reads. */
  public FormatException(String message) {
    super(message, null);
  }

  /** Makes the error with the message that the user reads and what caused it. */
  public FormatException(String message, Throwable cause) {
    super(message, cause);
  }
}
