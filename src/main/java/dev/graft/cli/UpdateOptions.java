package dev.graft.cli;

import dev.graft.error.UsageException;
import dev.graft.train.Schedule;
import dev.graft.train.TrainingOptions.DecayOn;
import dev.graft.train.TrainingOptions.Update;
import dev.graft.train.TrainingOptions.Warmup;
import java.util.Optional;
import java.util.OptionalDouble;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** How {@code train} changes what it trains; names and defaults are TrainingArguments'. */
final class UpdateOptions {

  @Option(
      names = "--learning-rate",
      paramLabel = "X",
      description = "The highest learning rate (default 5e-5).")
  private double learningRate = 5e-5;

  @Option(
      names = "--lr-scheduler-type",
      paramLabel = "TYPE",
      description = "linear (the default), constant or constant_with_warmup.")
  private String schedule = Schedule.Kind.LINEAR.option();

  @Option(
      names = "--warmup-steps",
      paramLabel = "N",
      description = "Optimizer steps during which the rate rises from 0 (default 0).")
  private long warmupSteps;

  @Option(
      names = "--warmup-ratio",
      paramLabel = "X",
      description = "The same as a part of the run; counts if --warmup-steps is 0.")
  private double warmupRatio;

  @Mixin private RuleOptions rule = new RuleOptions();

  @Option(
      names = "--weight-decay-on",
      paramLabel = "weights|all",
      description =
          "weights (the default): all but biases and norms, as the Trainer has it; all: everything that is"
              + " trained, as torch.optim.AdamW by itself has it.")
  private String decayOn = "weights";

  @Option(
      names = "--max-grad-norm",
      paramLabel = "X",
      description = "The longest gradient over all parameters; 0 for any length (default 1).")
  private double maxGradNorm = 1;

  @Option(
      names = "--lora-dropout",
      paramLabel = "X",
      description = "The part of a branch's input that is dropped; the adapter's own if not given.")
  private Optional<Double> dropout = Optional.empty();

  Update toUpdate() {
    Limits.requireAtLeastZero("--learning-rate", learningRate);
    Limits.requireAtLeastZero("--warmup-steps", (double) warmupSteps);
    Limits.requireAtLeastZero("--max-grad-norm", maxGradNorm);
    Limits.requirePart("--warmup-ratio", warmupRatio);
    dropout.ifPresent(value -> Limits.requirePart("--lora-dropout", value));
    return new Update(
        rule.toRule(),
        learningRate,
        Schedule.Kind.parse(schedule),
        new Warmup(warmupSteps, warmupRatio),
        rule.weightDecay(),
        decayOn(),
        maxGradNorm,
        dropout.map(OptionalDouble::of).orElse(OptionalDouble.empty()));
  }

  private DecayOn decayOn() {
    return switch (decayOn) {
      case "weights" -> DecayOn.WEIGHTS;
      case "all" -> DecayOn.ALL;
      default ->
          throw new UsageException(
              "--weight-decay-on is '" + decayOn + "', expected weights or all");
    };
  }
}
