package dev.graft.train;

import dev.graft.error.UsageException;
import java.util.Arrays;
import java.util.Locale;
import java.util.stream.Collectors;

/** What a model is trained to do; it decides what labels are and which loss they go into. */
public enum Task {
  /** The next token: labels are token ids, moved to the place of the token before. */
  CAUSAL_LM,
  /** A class, several, or numbers for a whole row. */
  SEQ_CLS,
  /** A class for every token. */
  TOKEN_CLS;

  /** The task as the command line calls it. */
  public String option() {
    return name().toLowerCase(Locale.ROOT).replace('_', '-');
  }

  /**
   * Reads a task's name.
   *
   * @throws UsageException if there is no such task
   */
  public static Task parse(String text) {
    return Arrays.stream(values())
        .filter(task -> task.option().equals(text))
        .findFirst()
        .orElseThrow(() ->
            new UsageException(
                "'%s' is no task; there are %s"
                    .formatted(
                        text,
                        Arrays.stream(values())
                            .map(Task::option)
                            .collect(Collectors.joining(", ")))));
  }
}
