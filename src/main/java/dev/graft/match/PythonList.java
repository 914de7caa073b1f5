package dev.graft.match;

import java.util.ArrayList;
import java.util.List;

/**
 * Reads the list-of-strings literals that exporters leave in metadata. They are text, never
 * evaluated.
 */
final class PythonList {

  private static final int MAX_LENGTH = 1 << 16;

  private PythonList() {}

  /** The strings of a literal such as {@code ['', 'model']}; empty if it is anything else. */
  static List<String> parse(String literal) {
    String text = literal.strip();
    if (text.length() > MAX_LENGTH || !text.startsWith("[") || !text.endsWith("]")) {
      return List.of();
    }
    List<String> strings = new ArrayList<>();
    int at = 1;
    int end = text.length() - 1;
    while (at < end) {
      char c = text.charAt(at);
      if (c == ' ' || c == ',') {
        at++;
        continue;
      }
      if (c != '\'' && c != '"') {
        return List.of();
      }
      StringBuilder one = new StringBuilder();
      for (at++; at < end && text.charAt(at) != c; at++) {
        if (text.charAt(at) == '\\' && at + 1 < end) {
          at++;
        }
        one.append(text.charAt(at));
      }
      if (at >= end) {
        return List.of();
      }
      at++;
      strings.add(one.toString());
    }
    return List.copyOf(strings);
  }
}
