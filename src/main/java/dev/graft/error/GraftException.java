package dev.graft.error;

import org.jspecify.annotations.Nullable;

/**
 * An error with one message for the person who has to act on it: what happened, where (file, tensor
 * or node, byte), what was found and expected, what to do.
 */
public abstract sealed class GraftException extends RuntimeException
    permits UsageException,
        FormatException,
        BindingException,
        UnsupportedException,
        RuntimeFailure {

  private static final long serialVersionUID = 1L;

  GraftException(String message, @Nullable Throwable cause) {
    super(message, cause);
  }
}
