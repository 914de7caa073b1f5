package dev.graft.adapter;

import java.util.ArrayList;
import java.util.List;

/**
 * What is noticed while an adapter is taken apart: what is wrong, what cannot be folded, what is
 * worth a word.
 */
final class Findings {

  private static final int MOST_SHOWN = 30;

  private final List<String> problems = new ArrayList<>();
  private final List<String> refusals = new ArrayList<>();
  private final List<String> warnings = new ArrayList<>();

  void problem(String text) {
    problems.add(text);
  }

  void refuse(String text) {
    refusals.add(text);
  }

  void warn(String text) {
    warnings.add(text);
  }

  boolean isSound() {
    return problems.isEmpty();
  }

  /** Whether something is known already that keeps the adapter from being folded. */
  boolean isRefused() {
    return !refusals.isEmpty();
  }

  int problemCount() {
    return problems.size();
  }

  List<String> refusals() {
    return List.copyOf(refusals);
  }

  List<String> warnings() {
    return List.copyOf(warnings);
  }

  /** All problems, one a line. */
  String report() {
    return lines(problems);
  }

  /** The texts one a line, indented, the number of those left out at the end. */
  static String lines(List<String> texts) {
    List<String> shown = texts.subList(0, Math.min(MOST_SHOWN, texts.size()));
    String rest =
        texts.size() > MOST_SHOWN ? "\n  and " + (texts.size() - MOST_SHOWN) + " more" : "";
    return "\n  " + String.join("\n  ", shown) + rest;
  }
}
