package dev.graft.cli;

import java.util.Arrays;

/**
 * Lets options be spelt with underscores, as Python tools do: {@code --dry_run} is {@code
 * --dry-run}.
 */
final class Spelling {

  private Spelling() {}

  /**
   * Turns underscores into hyphens in the names of long options. Values, also those behind an
   * equals sign, and everything after a lone {@code --} stay as they are.
   */
  static String[] hyphenated(String... args) {
    String[] result = args.clone();
    int end = Arrays.asList(args).indexOf("--");
    for (int i = 0; i < (end < 0 ? args.length : end); i++) {
      if (args[i].startsWith("--")) {
        result[i] = hyphenated(args[i]);
      }
    }
    return result;
  }

  private static String hyphenated(String option) {
    int equals = option.indexOf('=');
    return equals < 0
        ? option.replace('_', '-')
        : option.substring(0, equals).replace('_', '-') + option.substring(equals);
  }
}
