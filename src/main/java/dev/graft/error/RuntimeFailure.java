package dev.graft.error;

/**
 * The machine or ONNX Runtime failed: no space, no permission to write, a native error (exit code
 * 5).
 */
public final class RuntimeFailure extends GraftException {

  private static final long serialVersionUID = 1L;

  /** Makes the error with the message that the user reads. */
  public RuntimeFailure(String message) {
    super(message, null);
  }

  /** Makes the error with the message that the user reads and what caused it. */
  public RuntimeFailure(String message, Throwable cause) {
    super(message, cause);
  }
}
