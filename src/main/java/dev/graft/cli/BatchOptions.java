package dev.graft.cli;

import dev.graft.error.UsageException;
import dev.graft.train.TrainingOptions.Batches;
import dev.graft.train.TrainingOptions.Length;
import dev.graft.train.TrainingOptions.Order;
import java.util.OptionalLong;
import picocli.CommandLine.Option;

/** Which rows {@code train} takes, and how many; names and defaults are TrainingArguments'. */
final class BatchOptions {

  @Option(
      names = "--per-device-train-batch-size",
      paramLabel = "N",
      description = "Rows of a batch (default 8).")
  private int size = 8;

  @Option(
      names = "--gradient-accumulation-steps",
      paramLabel = "N",
      description = "Batches of an optimizer step (default 1).")
  private int accumulation = 1;

  @Option(
      names = "--num-train-epochs",
      paramLabel = "X",
      description = "Passes over the rows (default 3).")
  private double epochs = 3;

  @Option(
      names = "--max-steps",
      paramLabel = "N",
      description = "Optimizer steps; the passes do not count then.")
  private long maxSteps = -1;

  @Option(
      names = "--no-shuffle",
      description =
          "Take the rows in the order of the file. A batch that reaches the end goes on at the beginning.")
  private boolean inOrder;

  @Option(
      names = "--seed",
      paramLabel = "N",
      description = "Seed of the order of rows and of dropout (default 42).")
  private long seed = 42;

  Batches toBatches() {
    Limits.requirePositive("--per-device-train-batch-size", size);
    Limits.requirePositive("--gradient-accumulation-steps", accumulation);
    if (maxSteps == 0 || maxSteps < -1) {
      throw new UsageException("--max-steps is " + maxSteps + ", expected 1 or more");
    }
    if (!(epochs > 0) || Double.isInfinite(epochs)) {
      throw new UsageException("--num-train-epochs is " + epochs + ", expected more than 0");
    }
    OptionalLong steps = maxSteps > 0 ? OptionalLong.of(maxSteps) : OptionalLong.empty();
    return new Batches(
        size, accumulation, inOrder ? Order.FILE : Order.SHUFFLED, seed, new Length(steps, epochs));
  }
}
