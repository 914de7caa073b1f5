package dev.graft.error;

/** The request itself makes no sense, whatever the files hold (exit code 2). */
public final class UsageException extends GraftException {

  private static final long serialVersionUID = 1L;

  /** Makes the error with the message that the user reads. */
  public UsageException(String message) {
    super(message, null);
  }

  /** Makes the error with the message that the user reads and what caused it. */
  public UsageException(String message, Throwable cause) {
    super(message, cause);
  }
}
