package dev.graft.cli;

import dev.graft.error.UsageException;
import dev.graft.train.TrainingOptions.Rule;
import picocli.CommandLine.Option;

/** By which rule gradients change what is trained; names and defaults are TrainingArguments'. */
final class RuleOptions {

  @Option(names = "--optim", paramLabel = "NAME", description = "adamw_torch (the default) or sgd.")
  private String optimizer = "adamw_torch";

  @Option(names = "--adam-beta1", paramLabel = "X", description = "AdamW's first beta (0.9).")
  private double beta1 = 0.9;

  @Option(names = "--adam-beta2", paramLabel = "X", description = "AdamW's second beta (0.999).")
  private double beta2 = 0.999;

  @Option(names = "--adam-epsilon", paramLabel = "X", description = "AdamW's epsilon (1e-8).")
  private double epsilon = 1e-8;

  @Option(names = "--sgd-momentum", paramLabel = "X", description = "SGD's momentum (default 0).")
  private double momentum;

  @Option(
      names = "--weight-decay",
      paramLabel = "X",
      description = "Pull towards zero for each unit of the learning rate (default 0).")
  private double weightDecay;

  double weightDecay() {
    Limits.requireAtLeastZero("--weight-decay", weightDecay);
    return weightDecay;
  }

  Rule toRule() {
    Limits.requireAtLeastZero("--adam-epsilon", epsilon);
    Limits.requirePart("--adam-beta1", beta1);
    Limits.requirePart("--adam-beta2", beta2);
    Limits.requirePart("--sgd-momentum", momentum);
    return switch (optimizer.replace('-', '_')) {
      case "adamw_torch" -> new Rule.AdamW(beta1, beta2, epsilon);
      case "sgd" -> new Rule.Sgd(momentum);
      default ->
          throw new UsageException(
              "'" + optimizer + "' is no optimizer here; there are adamw_torch and sgd");
    };
  }
}
