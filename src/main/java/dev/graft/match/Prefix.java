package dev.graft.match;

import dev.graft.error.UsageException;
import java.util.Optional;

/**
 * How the adapter's names become the file's: {@code from} is taken off the front, {@code to} put
 * there. One holds for the whole file; both are empty where the names agree.
 *
 * @param from what the adapter's names have in front and the file's lack, with its final dot
 * @param to what the file's names have in front and the adapter's lack, with its final dot
 */
public record Prefix(String from, String to) {

  /** Names agree as they are. */
  public static final Prefix NONE = new Prefix("", "");

  /**
   * Reads {@code FROM=TO}; either side may be empty, a final dot may be left out.
   *
   * @throws UsageException if there is no equals sign
   */
  public static Prefix parse(String text) {
    int equals = text.indexOf('=');
    if (equals < 0) {
      throw new UsageException(
          "--prefix '" + text + "' is not of the form FROM=TO, for example bert.= or =model.");
    }
    return new Prefix(dotted(text.substring(0, equals)), dotted(text.substring(equals + 1)));
  }

  /**
   * The file's name for an adapter's name, or empty if the adapter's does not begin with {@code
   * from}.
   */
  public Optional<String> apply(String name) {
    return name.startsWith(from)
        ? Optional.of(to + name.substring(from.length()))
        : Optional.empty();
  }

  /**
   * The adapter's name for a file's name, or empty if the file's does not begin with {@code to}.
   */
  public Optional<String> reverse(String name) {
    return name.startsWith(to) ? Optional.of(from + name.substring(to.length())) : Optional.empty();
  }

  private static String dotted(String part) {
    return part.isEmpty() || part.endsWith(".") ? part : part + ".";
  }

  @Override
  public String toString() {
    return "'" + from + "' -> '" + to + "'";
  }
}
