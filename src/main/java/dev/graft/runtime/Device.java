package dev.graft.runtime;

import dev.graft.error.UsageException;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Where a session computes.
 *
 * @param kind the kind of processor
 * @param index which of several, from 0; always 0 for the CPU
 */
public record Device(Kind kind, int index) {

  /** A kind of processor. */
  public enum Kind {
    CPU,
    CUDA
  }

  /** The processor that Java itself runs on. */
  public static final Device CPU = new Device(Kind.CPU, 0);

  private static final Pattern CUDA = Pattern.compile("cuda(?::(\\d{1,4}))?");

  /**
   * Reads {@code cpu}, {@code cuda} (the first card) or {@code cuda:N}.
   *
   * @throws UsageException if it is none of them
   */
  public static Device parse(String text) {
    if (text.equals("cpu")) {
      return CPU;
    }
    Matcher cuda = CUDA.matcher(text);
    if (!cuda.matches()) {
      throw new UsageException(
          "'" + text + "' is no device; give cpu, or cuda:N for the card with the number N");
    }
    return new Device(Kind.CUDA, cuda.group(1) == null ? 0 : Integer.parseInt(cuda.group(1)));
  }

  /** The device as the command line names it. */
  @Override
  public String toString() {
    return kind == Kind.CPU ? "cpu" : "cuda:" + index;
  }
}
