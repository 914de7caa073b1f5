package dev.graft.adapter;

import dev.graft.error.UsageException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.regex.Pattern;

/**
 * An adapter as the command line names it: {@code PATH} or {@code PATH:WEIGHT}.
 *
 * @param path where the adapter lies; nothing has been opened
 * @param weight what its delta is multiplied with besides its own scale; finite, not 0, may be
 *     negative
 */
public record AdapterSpec(Path path, double weight) {

  private static final Pattern NUMBER =
      Pattern.compile("[+-]?(\\d{1,20}(\\.\\d{0,40})?|\\.\\d{1,40})([eE][+-]?\\d{1,4})?");
  private static final Pattern NOT_FINITE = Pattern.compile("(?i)[+-]?(nan|inf|infinity)");

  /**
   * Takes the text apart. A colon may be part of the path: what follows the last one is a weight
   * only if it is a number and the whole text names nothing that exists.
   *
   * @throws UsageException if the weight is 0 or not finite, or the path is empty or malformed
   */
  public static AdapterSpec parse(String text) {
    int colon = text.lastIndexOf(':');
    if (colon < 0 || exists(text)) {
      return new AdapterSpec(path(text), 1);
    }
    String suffix = text.substring(colon + 1);
    if (NOT_FINITE.matcher(suffix).matches()) {
      throw badWeight(text, suffix);
    }
    if (!NUMBER.matcher(suffix).matches()) {
      return new AdapterSpec(path(text), 1);
    }
    double weight = Double.parseDouble(suffix);
    if (weight == 0 || !Double.isFinite(weight)) {
      throw badWeight(text, suffix);
    }
    return new AdapterSpec(path(text.substring(0, colon)), weight);
  }

  private static boolean exists(String text) {
    try {
      return Files.exists(Path.of(text));
    } catch (InvalidPathException e) {
      return false;
    }
  }

  private static Path path(String text) {
    if (text.isEmpty()) {
      throw new UsageException("an adapter is given as PATH or PATH:WEIGHT, but the path is empty");
    }
    try {
      return Path.of(text);
    } catch (InvalidPathException e) {
      throw new UsageException("'" + text + "' is no path: " + e.getReason(), e);
    }
  }

  private static UsageException badWeight(String text, String weight) {
    return new UsageException(
        "adapter '"
            + text
            + "': weight "
            + weight
            + " must be a finite number other than 0, such as 0.5 or -1");
  }
}
