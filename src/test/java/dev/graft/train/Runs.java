package dev.graft.train;

import dev.graft.autodiff.Objective.Activations;
import dev.graft.match.Binder;
import dev.graft.match.NameMap;
import dev.graft.match.Ties;
import dev.graft.runtime.Device;
import dev.graft.safetensors.SafetensorsData;
import dev.graft.safetensors.SafetensorsFile;
import dev.graft.train.TrainingOptions.Averaging;
import dev.graft.train.TrainingOptions.Batches;
import dev.graft.train.TrainingOptions.DecayOn;
import dev.graft.train.TrainingOptions.Length;
import dev.graft.train.TrainingOptions.Loss;
import dev.graft.train.TrainingOptions.Machine;
import dev.graft.train.TrainingOptions.Order;
import dev.graft.train.TrainingOptions.Output;
import dev.graft.train.TrainingOptions.Problem;
import dev.graft.train.TrainingOptions.Rule;
import dev.graft.train.TrainingOptions.Sources;
import dev.graft.train.TrainingOptions.Update;
import dev.graft.train.TrainingOptions.Warmup;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalLong;
import java.util.SortedMap;
import java.util.TreeMap;

/** Options of small runs on a golden case, to be changed one by one, and what came of them. */
final class Runs {

  Path model;
  Path adapter;
  Path rows;
  Path output;
  Task task = Task.CAUSAL_LM;
  Optional<Problem> problem = Optional.empty();
  double smoothing;
  Averaging averaging = Averaging.WINDOW;
  int size = 2;
  int accumulation = 1;
  Order order = Order.FILE;
  long seed = 7;
  long steps = 6;
  Rule rule = new Rule.AdamW(0.9, 0.999, 1e-8);
  double learningRate = 5e-3;
  Schedule.Kind schedule = Schedule.Kind.CONSTANT;
  double weightDecay = 0.01;
  DecayOn decayOn = DecayOn.ALL;
  double maxGradNorm;
  double dropout;
  Activations activations = Activations.KEPT;
  OptionalLong saveSteps = OptionalLong.empty();
  Optional<Path> resume = Optional.empty();
  Optional<Path> gradients = Optional.empty();
  Map<String, Double> inputs = Map.of();
  final List<String> warnings = new ArrayList<>();
  final List<LogEntry> log = new ArrayList<>();
  int endAfter = Integer.MAX_VALUE;

  Runs(String name, Path output) {
    Path folder = Path.of("testdata/cases", name);
    this.model = folder.resolve("base.onnx");
    this.adapter = folder.resolve("adapter");
    this.rows = folder.resolve("train/data.jsonl");
    this.output = output;
  }

  TrainingOptions options() {
    return new TrainingOptions(
        new Sources(
            model,
            adapter,
            rows,
            new Binder.Options(Optional.empty(), NameMap.EMPTY, Ties.ACTIVE),
            resume),
        new Loss(task, problem, smoothing, averaging, inputs),
        new Batches(size, accumulation, order, seed, new Length(OptionalLong.of(steps), 1)),
        new Update(
            rule,
            learningRate,
            schedule,
            new Warmup(0, 0),
            weightDecay,
            decayOn,
            maxGradNorm,
            OptionalDouble.of(dropout)),
        new Output(output, 1, saveSteps, gradients, "test"),
        new Machine(Device.CPU, 1, activations));
  }

  TrainingReport run() {
    return Trainer.run(options(), new Heard());
  }

  private final class Heard implements Listener {
    @Override
    public void begins(TrainingReport.Job job) {}

    @Override
    public void logged(LogEntry entry) {
      log.add(entry);
    }

    @Override
    public void warns(String warning) {
      warnings.add(warning);
    }

    @Override
    public boolean wantsEnd() {
      return log.size() >= endAfter;
    }
  }

  List<Double> losses() {
    return log.stream().map(LogEntry::loss).toList();
  }

  /** The trained adapter's tensors. */
  SortedMap<String, float[]> trained() {
    return tensors(output.resolve("adapter_model.safetensors"));
  }

  static SortedMap<String, float[]> tensors(Path file) {
    SortedMap<String, float[]> values = new TreeMap<>();
    SafetensorsFile.open(file)
        .tensors()
        .forEach((name, tensor) -> values.put(name, SafetensorsData.readFloats(tensor)));
    return values;
  }

  /** The largest difference of two sets of tensors with the same names. */
  static double difference(SortedMap<String, float[]> a, SortedMap<String, float[]> b) {
    if (!a.keySet().equals(b.keySet())) {
      throw new AssertionError(a.keySet() + " and " + b.keySet());
    }
    double worst = 0;
    for (Map.Entry<String, float[]> entry : a.entrySet()) {
      float[] other = b.getOrDefault(entry.getKey(), new float[0]);
      for (int i = 0; i < other.length; i++) {
        worst = Math.max(worst, Math.abs(entry.getValue()[i] - other[i]));
      }
    }
    return worst;
  }

  /** Other rows for the run. */
  Runs withRows(Path file, String... lines) {
    try {
      Files.write(file, List.of(lines));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    rows = file;
    return this;
  }
}
