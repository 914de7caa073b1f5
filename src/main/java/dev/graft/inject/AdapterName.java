package dev.graft.inject;

import dev.graft.error.UsageException;
import java.util.regex.Pattern;

/**
 * What tells one adapter from another where a model holds the branches of several.
 *
 * @param value the name; PEFT's {@code default} is left out of all names
 */
public record AdapterName(String value) {

  // Before the constant below, which is checked by it.
  private static final Pattern FORM = Pattern.compile("[A-Za-z0-9_][A-Za-z0-9_-]*");

  /** The only adapter of most models. */
  public static final AdapterName DEFAULT = new AdapterName("default");

  /**
   * Checks the name, which becomes a part of others.
   *
   * @throws UsageException if it is empty or has other characters than letters, digits, _ and -
   */
  public AdapterName {
    if (!FORM.matcher(value).matches()) {
      throw new UsageException(
          "the adapter's name is '%s', expected letters, digits, '_' and '-' only"
              .formatted(value));
    }
  }

  /** What stands behind {@code lora_A} in the names of initializers. */
  String infix() {
    return equals(DEFAULT) ? "" : "." + value;
  }

  /** What stands behind {@code lora_A} in the names of nodes. */
  String step() {
    return equals(DEFAULT) ? "" : "/" + value;
  }
}
