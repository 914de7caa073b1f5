package dev.graft.adapter;

import dev.graft.error.FormatException;
import dev.graft.error.UnsupportedException;
import dev.graft.safetensors.StrictJson;

/** A place in the text of a pattern, and the errors that name it. */
final class PatternCursor {

  /** What {@link #peek} gives where nothing is left. */
  static final int END = -1;

  private final String pattern;
  private final int[] chars;
  private int at;

  PatternCursor(String pattern) {
    this.pattern = pattern;
    this.chars = pattern.codePoints().toArray();
  }

  boolean atEnd() {
    return at >= chars.length;
  }

  /** The next character, left where it is. */
  int peek() {
    return peek(0);
  }

  int peek(int ahead) {
    return at + ahead < chars.length ? chars[at + ahead] : END;
  }

  /** The next character; fails where none is left. */
  int read() {
    if (atEnd()) {
      throw malformed("it ends too early");
    }
    return chars[at++];
  }

  /** Goes past the next character if it is the wanted one. */
  boolean take(int wanted) {
    if (peek() == wanted) {
      at++;
      return true;
    }
    return false;
  }

  void skip(int count) {
    at += count;
  }

  /** At most so many of the next characters. */
  String next(int most) {
    return new String(chars, at, Math.min(most, chars.length - at));
  }

  FormatException malformed(String what) {
    return new FormatException(
        "pattern " + StrictJson.excerpt(pattern) + ": " + what + " at character " + at);
  }

  UnsupportedException unsupported(String what) {
    return new UnsupportedException(
        "pattern "
            + StrictJson.excerpt(pattern)
            + ": "
            + what
            + " at character "
            + at
            + " is not supported; name the modules without it");
  }
}
