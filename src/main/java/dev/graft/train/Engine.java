package dev.graft.train;

import dev.graft.error.RuntimeFailure;
import dev.graft.runtime.HostTensor;
import dev.graft.runtime.TrainingSession;
import dev.graft.tensor.DType;
import dev.graft.train.TrainingOptions.Averaging;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import java.util.SequencedMap;

/** Runs a training graph: rows in, loss and gradients out, changed parameters back. */
final class Engine implements AutoCloseable {

  private static final ValueLayout.OfFloat FLOATS =
      ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  private final TrainingJob job;
  private final TrainingGraph graph;
  private final TrainingOptions options;
  private final InputMaker inputs;
  private final TrainingSession session;
  private Map<String, HostTensor> outputs = Map.of();

  Engine(TrainingJob job, TrainingGraph graph, TrainingOptions options) {
    this.job = job;
    this.graph = graph;
    this.options = options;
    this.inputs = new InputMaker(job.modelInputs(), options.loss().inputs());
    this.session = job.open(graph, options.machine());
  }

  /** Runs all batches of a window and returns the loss, which their gradients are of. */
  double gradients(Window window) {
    session.resetGradients();
    double loss = 0;
    for (Window.Batch batch : window.batches()) {
      try (Arena arena = Arena.ofConfined()) {
        outputs = session.step(feeds(window, batch, arena));
      } catch (RuntimeFailure e) {
        throw new RuntimeFailure(
            "%s (rows of lines %s of %s)"
                .formatted(e.getMessage(), batch.lines(), job.rows().file()),
            e);
      }
      loss += output(job.loss().names().loss()).toDoubles()[0];
    }
    return loss;
  }

  private Map<String, HostTensor> feeds(Window window, Window.Batch batch, Arena arena) {
    Map<String, HostTensor> feeds = new LinkedHashMap<>(inputs.make(batch.rows()));
    feeds.putAll(batch.labels().feeds());
    feeds.put(job.loss().names().scale(), Labels.scale(scale(window, batch)));
    long tokens = (long) batch.rows().size() * InputMaker.length(batch.rows());
    Dropout.Key key = new Dropout.Key(options.batches().seed(), batch.microStep());
    feeds.putAll(job.dropout().masks(key, tokens, arena));
    return feeds;
  }

  /** What makes a sum over a batch's labels its share of the step's mean. */
  private double scale(Window window, Window.Batch batch) {
    return options.loss().averaging() == Averaging.WINDOW
        ? 1.0 / window.labels()
        : 1.0 / (batch.labels().count() * (double) window.batches().size());
  }

  /** The gradients of the window, as they are in the graph. */
  SequencedMap<Trained, float[]> totals() {
    SequencedMap<Trained, float[]> totals = new LinkedHashMap<>();
    for (Trained tensor : job.trained()) {
      String name = Objects.requireNonNull(graph.totals().get(tensor.parameter().name()));
      float[] total = new float[tensor.parameter().values().length];
      MemorySegment.copy(output(name).data(), FLOATS, 0, total, 0, total.length);
      totals.put(tensor, total);
    }
    return totals;
  }

  private HostTensor output(String name) {
    return Objects.requireNonNull(outputs.get(name), name);
  }

  /** Gives the runtime the parameters as they are now. */
  void push() {
    for (Parameter parameter : job.parameters()) {
      float[] values = parameter.values();
      try (Arena arena = Arena.ofConfined()) {
        HostTensor tensor = HostTensor.allocate(DType.FLOAT32, parameter.shape(), arena);
        MemorySegment.copy(values, 0, tensor.data(), FLOATS, 0, values.length);
        session.setParameter(parameter.name(), tensor);
      }
    }
  }

  @Override
  public void close() {
    session.close();
  }
}
