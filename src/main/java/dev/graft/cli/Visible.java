package dev.graft.cli;

/**
 * Text with names from foreign files in it, made fit for a terminal: control characters, which
 * could move the cursor or recolour what was said before, are spelt out, and what would flood the
 * screen is cut.
 */
final class Visible {

  private Visible() {}

  /** A message; it may have several lines. */
  static String message(String text) {
    return of(text, 1 << 14, "\n");
  }

  /** A cell of a table. */
  static String cell(String text) {
    return of(text, 400, "");
  }

  private static String of(String text, int most, String kept) {
    String rest =
        text.length() > most ? "... (" + (text.length() - most) + " characters more)" : "";
    StringBuilder visible = new StringBuilder();
    for (int i = 0; i < Math.min(most, text.length()); i++) {
      char c = text.charAt(i);
      if (kept.indexOf(c) < 0 && (Character.isISOControl(c) || isTurning(c))) {
        visible.append("\\u%04x".formatted((int) c));
      } else {
        visible.append(c);
      }
    }
    return visible.append(rest).toString();
  }

  /** Marks that turn the direction of the text behind them. */
  private static boolean isTurning(char c) {
    return (c >= '\u202a' && c <= '\u202e') || (c >= '\u2066' && c <= '\u2069');
  }
}
