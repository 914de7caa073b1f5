package dev.graft.error;

/** The adapter and the model are both well formed but do not fit each other (exit code 3). */
public final class BindingException extends GraftException {

  private static final long serialVersionUID = 1L;

  /** Makes the error with the message that the user reads. */
  public BindingException(String message) {
    super(message, null);
  }

  /** Makes the error with the message that the user reads and what caused it. */
  public BindingException(String message, Throwable cause) {
    super(message, cause);
  }
}
