package dev.graft.train;

import dev.graft.error.RuntimeFailure;
import dev.graft.io.OutputGuard;
import dev.graft.safetensors.SafetensorsWriter;
import dev.graft.train.TrainingOptions.Rule;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.SequencedMap;

/** Runs a training from its options to the adapter's folder. */
public final class Trainer {

  private final TrainingOptions options;
  private final Listener listener;
  private final TrainingJob job;
  private final Plan plan;
  private final Optimizer optimizer;
  private final Checkpoint checkpoint;
  private final AdapterFolder folder;
  private RunState state = new RunState();

  private Trainer(TrainingOptions options, Listener listener) {
    this.options = options;
    this.listener = listener;
    this.job = TrainingJob.of(options);
    this.plan = Plan.of(job.rows().rows().size(), options.batches(), options.update());
    this.optimizer =
        switch (options.update().optimizer()) {
          case Rule.AdamW(double beta1, double beta2, double epsilon) ->
              new AdamW(beta1, beta2, epsilon);
          case Rule.Sgd(double momentum) -> new Sgd(momentum);
        };
    this.checkpoint = new Checkpoint(job, optimizer, RunSettings.of(options, job, plan.steps()));
    this.folder = new AdapterFolder(job.model().adapter(), job.dropout().probability());
  }

  /**
   * Trains.
   *
   * @return how it went
   * @throws dev.graft.error.GraftException if it cannot be done; checkpoints that were written stay
   */
  public static TrainingReport run(TrainingOptions options, Listener listener) {
    return new Trainer(options, listener).run();
  }

  private TrainingReport run() {
    requireNoInput();
    job.warnings().forEach(listener::warns);
    options.sources().resume().ifPresent(from -> state = checkpoint.load(from));
    long began = System.nanoTime();
    TrainingGraph graph =
        TrainingGraph.of(
            job.loss(),
            job.parameters(),
            new TrainingGraph.Form(TrainingGraph.Totals.GIVEN, options.machine().activations()));
    TrainingReport.Job about = about(graph, seconds(began));
    try (Engine engine = new Engine(job, graph, options)) {
      listener.begins(about);
      long started = System.nanoTime();
      Optional<Path> interrupted = steps(engine);
      double seconds = seconds(started);
      if (interrupted.isEmpty()) {
        write(options.output().folder(), Optional.of(seconds));
      }
      return new TrainingReport(
          about,
          state.step(),
          plan.epoch(state.place()),
          state.meanLoss(),
          seconds,
          state.log(),
          interrupted);
    }
  }

  /** Checks all that the run may replace; a checkpoint gives way to a new one of its name. */
  private void requireNoInput() {
    List<Path> inputs = job.model().files();
    inputs.add(options.sources().rows());
    Path output = options.output().folder();
    AdapterFolder.FILES.forEach(name -> OutputGuard.check(inputs, output.resolve(name)));
    options.output().gradients().ifPresent(file -> OutputGuard.check(inputs, file));
    Checkpoint.filesBelow(output).forEach(file -> OutputGuard.check(inputs, file));
  }

  private TrainingReport.Job about(TrainingGraph graph, double seconds) {
    return new TrainingReport.Job(
        job.model().values(),
        job.rows().rows().size(),
        plan.steps(),
        graph.model().getGraph().getNodeCount(),
        seconds);
  }

  private static double seconds(long since) {
    return (System.nanoTime() - since) / 1e9;
  }

  /** Takes all steps; returns a checkpoint if the run was ended before its time. */
  private Optional<Path> steps(Engine engine) {
    Window.Source windows = new Window.Source(job, options.batches());
    while (state.step() < plan.steps()) {
      if (listener.wantsEnd()) {
        return Optional.of(saveCheckpoint());
      }
      Window window = windows.at(state.place());
      if (window.skipped() > 0) {
        listener.warns(
            "step %d: %d of %d batches have no label that counts and were skipped"
                .formatted(state.step() + 1, window.skipped(), options.batches().accumulation()));
      }
      if (window.batches().isEmpty()) {
        state.pass(window.rows());
      } else {
        double norm = step(engine, window);
        state.pass(window.rows());
        afterStep(norm);
      }
    }
    return Optional.empty();
  }

  /** Takes a step and returns the length of its gradient. */
  private double step(Engine engine, Window window) {
    double loss = engine.gradients(window);
    SequencedMap<Trained, float[]> gradients = engine.totals();
    double norm = GradientNorm.of(gradients.values());
    requireFinite(loss, norm, window);
    if (state.step() == 0) {
      options.output().gradients().ifPresent(file -> dump(file, gradients));
    }
    if (options.update().maxGradNorm() > 0) {
      GradientNorm.clip(gradients.values(), norm, options.update().maxGradNorm());
    }
    double learningRate = plan.schedule().rate(state.step());
    gradients.forEach((tensor, gradient) ->
        optimizer.step(
            tensor.parameter(),
            gradient,
            new Optimizer.Rate(
                learningRate,
                Decay.of(tensor, options.update().weightDecay(), options.update().decayOn()),
                state.step() + 1)));
    engine.push();
    state.stepped(loss);
    return norm;
  }

  private void afterStep(double norm) {
    long logging = options.output().loggingSteps();
    if (state.step() % logging == 0) {
      double learningRate = plan.schedule().rate(state.step() - 1);
      listener.logged(state.enter(plan.epoch(state.place()), norm, learningRate));
    }
    long saving = options.output().saveSteps().orElse(0);
    if (saving > 0 && state.step() % saving == 0) {
      saveCheckpoint();
    }
  }

  /** Parameters have not been touched when this is found, so what is saved is still good. */
  private void requireFinite(double loss, double norm, Window window) {
    if (Double.isFinite(loss) && Double.isFinite(norm)) {
      return;
    }
    String what = Double.isFinite(loss) ? "gradient is not finite" : "loss is " + loss;
    String saved =
        state.step() == 0
            ? ""
            : "; the adapter after step " + state.step() + " is in " + saveCheckpoint();
    throw new RuntimeFailure(
        "step %d: the %s (rows of lines %s of %s); a lower learning rate or --max-grad-norm may help%s"
            .formatted(
                state.step() + 1,
                what,
                window.batches().stream().map(Window.Batch::lines).toList(),
                job.rows().file(),
                saved));
  }

  private Path saveCheckpoint() {
    Path target = options.output().folder().resolve("checkpoint-" + state.step());
    return checkpoint.save(target, state, into -> write(into, Optional.empty()));
  }

  private void write(Path into, Optional<Double> seconds) {
    folder.write(
        into,
        job.trained(),
        ModelCard.of(options, job.model().adapter(), state),
        new TrainerState(options, plan).of(state, seconds));
  }

  private static void dump(Path file, SequencedMap<Trained, float[]> gradients) {
    SafetensorsWriter writer = new SafetensorsWriter().metadata("format", "pt");
    gradients.forEach((tensor, gradient) ->
        writer.add(tensor.trainingName(), tensor.source().shape(), tensor.asSaved(gradient)));
    writer.write(file);
  }
}
