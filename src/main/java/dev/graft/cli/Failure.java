package dev.graft.cli;

import dev.graft.error.BindingException;
import dev.graft.error.FormatException;
import dev.graft.error.GraftException;
import dev.graft.error.RuntimeFailure;
import dev.graft.error.UnsupportedException;
import dev.graft.error.UsageException;
import java.io.UncheckedIOException;

/**
 * What went wrong, as the user learns it.
 *
 * @param exitCode the process's
 * @param kind a word for programs
 * @param message for the person
 */
record Failure(int exitCode, String kind, String message) {

  /** Done. */
  static final int OK = 0;

  /** A check did not hold. */
  static final int DOES_NOT_HOLD = 1;

  private static final int USAGE = 2;
  private static final int BAD_INPUT = 3;
  private static final int UNSUPPORTED = 4;
  private static final int RUNTIME = 5;

  static Failure of(Throwable thrown) {
    return switch (thrown) {
      case GraftException e -> new Failure(exitCode(e), kind(e), String.valueOf(e.getMessage()));
      case UncheckedIOException e -> new Failure(RUNTIME, "runtime", ofIo(e));
      case OutOfMemoryError e -> new Failure(RUNTIME, "memory", ofMemory());
      default ->
          new Failure(
              RUNTIME,
              "internal",
              "internal error: " + thrown + "; run again with --debug and report it");
    };
  }

  /** The command line was not understood. */
  static Failure ofUsage(String message) {
    return new Failure(USAGE, "usage", message);
  }

  private static int exitCode(GraftException thrown) {
    return switch (thrown) {
      case UsageException e -> USAGE;
      case FormatException e -> BAD_INPUT;
      case BindingException e -> BAD_INPUT;
      case UnsupportedException e -> UNSUPPORTED;
      case RuntimeFailure e -> RUNTIME;
    };
  }

  private static String kind(GraftException thrown) {
    return switch (thrown) {
      case UsageException e -> "usage";
      case FormatException e -> "format";
      case BindingException e -> "binding";
      case UnsupportedException e -> "unsupported";
      case RuntimeFailure e -> "runtime";
    };
  }

  /** The path stands in our own message or in that of the file system. */
  private static String ofIo(UncheckedIOException thrown) {
    String reason = String.valueOf(thrown.getCause());
    String own = String.valueOf(thrown.getMessage());
    return own.equals(reason)
        ? "a file could not be read or written: " + reason
        : own + ": " + reason;
  }

  private static String ofMemory() {
    long megabytes = Runtime.getRuntime().maxMemory() >> 20;
    return "not enough memory: the Java heap may grow to "
        + megabytes
        + " MiB; allow more with GRAFT_JAVA_OPTS=-Xmx"
        + 2 * megabytes
        + "m";
  }
}
