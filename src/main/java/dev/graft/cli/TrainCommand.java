package dev.graft.cli;

import dev.graft.error.UsageException;
import dev.graft.runtime.Device;
import dev.graft.train.Listener;
import dev.graft.train.LogEntry;
import dev.graft.train.Trainer;
import dev.graft.train.TrainingOptions;
import dev.graft.train.TrainingOptions.Machine;
import dev.graft.train.TrainingOptions.Output;
import dev.graft.train.TrainingOptions.Sources;
import dev.graft.train.TrainingReport;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalLong;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Trains an adapter on the graph of the model that it is for. */
@Command(
    name = "train",
    customSynopsis = {
      "graft train -m MODEL --task TASK --init-adapter DIR --train-file FILE -o DIR [TrainingArguments]",
      "                   [--resume-from-checkpoint DIR] [--device cpu|cuda:N] [--json]"
    },
    description =
        "Trains a PEFT adapter on the ONNX graph itself, through ONNX Runtime Training, and writes the folder"
            + " that PEFT loads. The file of rows holds a JSON object a line: input_ids, attention_mask,"
            + " token_type_ids if the model has them, and labels (or label for a whole row); -100 is passed"
            + " over. Ctrl-C ends the run after the step that it is at and saves a checkpoint.",
    footer = {
      "  graft train -m model.onnx --task causal-lm --init-adapter start/ --train-file rows.jsonl \\",
      "    -o trained/ --max-steps 100 --learning-rate 1e-4 --per-device-train-batch-size 4"
    })
final class TrainCommand extends Verb {

  /** What a process ended by Ctrl-C gives. */
  private static final int INTERRUPTED = 130;

  @Mixin private StartOptions start = new StartOptions();

  @Option(
      names = "--train-file",
      required = true,
      paramLabel = "FILE",
      description = "Tokenised rows, a JSON object a line.")
  private Path rows = Path.of("");

  @Option(
      names = {"-o", "--output", "--output-dir"},
      required = true,
      paramLabel = "DIR",
      description = "The folder for the adapter, trainer_state.json and checkpoints.")
  private Path output = Path.of("");

  @Mixin private LossOptions loss = new LossOptions();
  @Mixin private BatchOptions batches = new BatchOptions();
  @Mixin private UpdateOptions update = new UpdateOptions();
  @Mixin private MemoryOptions memory = new MemoryOptions();

  @Option(
      names = "--logging-steps",
      paramLabel = "N",
      description = "Optimizer steps from one entry of the log to the next (default 500).")
  private long loggingSteps = 500;

  @Option(
      names = "--save-steps",
      paramLabel = "N",
      description = "Optimizer steps from one checkpoint to the next; none if not given.")
  private Optional<Long> saveSteps = Optional.empty();

  @Option(
      names = "--resume-from-checkpoint",
      paramLabel = "DIR",
      description = "Go on from a checkpoint, to the same bits as without the interruption.")
  private Optional<Path> resume = Optional.empty();

  @Option(
      names = "--dump-gradients",
      paramLabel = "FILE",
      description = "Write the gradients of the first step there, under PEFT's names.")
  private Optional<Path> gradients = Optional.empty();

  @Option(
      names = "--device",
      paramLabel = "cpu|cuda:N",
      description = "Where to compute; never anywhere else (default cpu).")
  private String device = Device.CPU.toString();

  @Option(
      names = "--threads",
      paramLabel = "N",
      description = "Threads that share an operator's work (default: one for each core).")
  private int threads;

  TrainCommand(Screen screen) {
    super(screen);
  }

  @Override
  int execute() {
    TrainingOptions options = options();
    try (Interruption interruption = Interruption.listen()) {
      TrainingReport report = Trainer.run(options, new Progress(interruption));
      TrainReport printed = TrainReport.of(name(), options, report);
      print(printed, () -> TrainText.print(screen().out(), printed));
      return report.interrupted().isPresent() ? INTERRUPTED : Failure.OK;
    }
  }

  private TrainingOptions options() {
    Limits.requirePositive("--logging-steps", loggingSteps);
    saveSteps.ifPresent(steps -> Limits.requirePositive("--save-steps", steps));
    if (threads < 0) {
      throw new UsageException("--threads is " + threads + ", expected 1 or more");
    }
    OptionalLong saving = saveSteps.map(OptionalLong::of).orElse(OptionalLong.empty());
    return new TrainingOptions(
        new Sources(start.model(), start.adapter(), rows, start.names(), resume),
        loss.toLoss(),
        batches.toBatches(),
        update.toUpdate(),
        new Output(output, loggingSteps, saving, gradients, MergeRun.tool()),
        new Machine(Device.parse(device), threads, memory.toActivations()));
  }

  /** Tells the user how it goes. */
  private final class Progress implements Listener {
    private final Interruption interruption;
    private long steps;

    Progress(Interruption interruption) {
      this.interruption = interruption;
    }

    @Override
    public void begins(TrainingReport.Job job) {
      steps = job.totalSteps();
      tell(
          "training %,d values on %,d rows, %,d steps; the graph has %,d nodes and took %.1f s"
              .formatted(
                  job.trainableParameters(), job.rows(), steps, job.nodes(), job.graphSeconds()));
    }

    @Override
    public void logged(LogEntry entry) {
      tell(
          String.format(
              Locale.ROOT,
              "step %d of %d, epoch %.2f: loss %.4f, gradient %.4g, rate %.3g",
              entry.step(),
              steps,
              entry.epoch(),
              entry.loss(),
              entry.gradNorm(),
              entry.learningRate()));
    }

    private void tell(String message) {
      if (!isQuiet()) {
        screen().say(message);
      }
    }

    @Override
    public void warns(String warning) {
      warn(List.of(warning));
    }

    @Override
    public boolean wantsEnd() {
      return interruption.isAsked();
    }
  }
}
