package dev.graft.match;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Reads the list-of-strings literals that exporters leave in metadata, as Python's {@code repr}
 * writes them. They are text, never evaluated.
 */
final class PythonList {

  private static final int MAX_LENGTH = 1 << 16;

  private final String text;
  private int at;

  private PythonList(String text) {
    this.text = text;
  }

  /** The strings of a literal such as {@code ['', 'model']}; empty if it is anything else. */
  static List<String> parse(String literal) {
    String text = literal.strip();
    if (text.length() > MAX_LENGTH) {
      return List.of();
    }
    return new PythonList(text).list().orElse(List.of());
  }

  private Optional<List<String>> list() {
    List<String> strings = new ArrayList<>();
    if (!take('[')) {
      return Optional.empty();
    }
    while (!take(']')) {
      if (!strings.isEmpty() && !take(',')) {
        return Optional.empty();
      }
      if (!strings.isEmpty() && take(']')) {
        break;
      }
      Optional<String> one = string();
      if (one.isEmpty()) {
        return Optional.empty();
      }
      strings.add(one.get());
    }
    return at == text.length() ? Optional.of(List.copyOf(strings)) : Optional.empty();
  }

  private boolean take(char wanted) {
    while (at < text.length() && text.charAt(at) == ' ') {
      at++;
    }
    if (at < text.length() && text.charAt(at) == wanted) {
      at++;
      return true;
    }
    return false;
  }

  private Optional<String> string() {
    char quote;
    if (take('\'')) {
      quote = '\'';
    } else if (take('"')) {
      quote = '"';
    } else {
      return Optional.empty();
    }
    StringBuilder one = new StringBuilder();
    while (at < text.length()) {
      char c = text.charAt(at++);
      if (c == quote) {
        return Optional.of(one.toString());
      }
      if (c != '\\') {
        one.append(c);
      } else if (!escape(one)) {
        return Optional.empty();
      }
    }
    return Optional.empty();
  }

  private boolean escape(StringBuilder out) {
    if (at >= text.length()) {
      return false;
    }
    char c = text.charAt(at++);
    switch (c) {
      case '\\', '\'', '"' -> out.append(c);
      case 'n' -> out.append('\n');
      case 'r' -> out.append('\r');
      case 't' -> out.append('\t');
      case 'x' -> {
        return codePoint(2, out);
      }
      case 'u' -> {
        return codePoint(4, out);
      }
      case 'U' -> {
        return codePoint(8, out);
      }
      default -> {
        return false;
      }
    }
    return true;
  }

  private boolean codePoint(int digits, StringBuilder out) {
    int value = 0;
    for (int end = at + digits; at < end; at++) {
      int digit = at < text.length() ? Character.digit(text.charAt(at), 16) : -1;
      if (digit < 0 || value > Character.MAX_CODE_POINT) {
        return false;
      }
      value = value * 16 + digit;
    }
    if (!Character.isValidCodePoint(value)) {
      return false;
    }
    out.appendCodePoint(value);
    return true;
  }
}
