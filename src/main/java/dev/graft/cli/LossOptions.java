package dev.graft.cli;

import dev.graft.error.UsageException;
import dev.graft.train.Task;
import dev.graft.train.TrainingOptions.Averaging;
import dev.graft.train.TrainingOptions.Loss;
import dev.graft.train.TrainingOptions.Problem;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import picocli.CommandLine.Option;

/** What {@code train} is to teach. */
final class LossOptions {

  @Option(
      names = "--task",
      required = true,
      paramLabel = "TASK",
      description =
          "causal-lm: the next token, labels are moved by one as Hugging Face does. seq-cls: a class, several"
              + " labels or numbers for a row. token-cls: a class for every token.")
  private String task = "";

  @Option(
      names = "--problem-type",
      paramLabel = "TYPE",
      description =
          "For seq-cls: single_label_classification, multi_label_classification or regression; told by the"
              + " labels and the model if not given.")
  private Optional<String> problem = Optional.empty();

  @Option(
      names = "--label-smoothing-factor",
      paramLabel = "X",
      description = "The part of each label that goes to all classes alike (default 0).")
  private double smoothing;

  @Option(
      names = "--average-tokens-across-window",
      paramLabel = "true|false",
      arity = "1",
      description =
          "Whether a step's loss is the mean over all labels of its batches (true, the default) or the mean"
              + " of the batches' means.")
  private boolean acrossWindow = true;

  @Option(
      names = "--set",
      paramLabel = "NAME=VALUE",
      description = "A number that fills a model input which rows do not have; repeatable.")
  private Map<String, Double> inputs = new LinkedHashMap<>();

  Loss toLoss() {
    Limits.requirePart("--label-smoothing-factor", smoothing);
    return new Loss(
        Task.parse(task),
        problem.map(LossOptions::problem),
        smoothing,
        acrossWindow ? Averaging.WINDOW : Averaging.BATCHES,
        inputs);
  }

  private static Problem problem(String text) {
    try {
      return Problem.valueOf(text.toUpperCase(Locale.ROOT).replace('-', '_'));
    } catch (IllegalArgumentException e) {
      throw new UsageException(
          "'%s' is no problem type; there are single_label_classification, multi_label_classification and regression"
              .formatted(text),
          e);
    }
  }
}
