package dev.graft.runtime;

import dev.graft.error.RuntimeFailure;
import dev.graft.tensor.DType;
import dev.graft.tensor.Shape;
import java.lang.foreign.Arena;
import java.lang.ref.Reference;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.onnxruntime.OrtCheckpointState;
import org.bytedeco.onnxruntime.OrtRunOptions;
import org.bytedeco.onnxruntime.OrtTensorTypeAndShapeInfo;
import org.bytedeco.onnxruntime.OrtTrainingSession;
import org.bytedeco.onnxruntime.OrtValue;

/**
 * A training job loaded into ONNX Runtime Training: parameters, their gradients, and the graphs
 * that change them. One thread at a time may use it, for its gradient buffers are shared.
 *
 * <p>Gradients are summed over the steps since the last {@link #resetGradients}; a new session
 * begins with none.
 */
public final class TrainingSession implements AutoCloseable {

  private final TrainingParts parts;
  private final OrtTraining training;
  private final OrtLibrary ort;
  private final OrtTensors tensors;
  private final String name;
  private final OrtCheckpointState state;
  private final OrtTrainingSession session;
  private final TrainingStep step;
  private final TrainingStep evalStep;
  private boolean closed;

  private TrainingSession(TrainingParts parts) {
    this.parts = parts;
    this.training = parts.training();
    this.ort = training.ort();
    this.tensors = new OrtTensors(ort);
    this.name = parts.name();
    this.state = parts.state();
    this.session = parts.session();
    this.step = TrainingStep.training(training, session, name);
    this.evalStep = TrainingStep.eval(training, session, name);
  }

  /**
   * Opens graphs in memory.
   *
   * @param name how messages call the job
   * @throws RuntimeFailure if ONNX Runtime cannot load them or the device is not there
   */
  public static TrainingSession of(
      String name, TrainingArtifacts artifacts, TrainingSettings settings) {
    return open(TrainingParts.load(name, artifacts, settings));
  }

  /**
   * Opens the four files of a folder, named as in {@link TrainingArtifacts}; those of evaluation
   * and optimizer may be missing.
   *
   * @throws dev.graft.error.FormatException if there is no training graph or checkpoint
   * @throws RuntimeFailure if ONNX Runtime cannot load them or the device is not there
   */
  public static TrainingSession open(Path folder, TrainingSettings settings) {
    return open(TrainingParts.load(folder, settings));
  }

  private static TrainingSession open(TrainingParts parts) {
    try {
      return new TrainingSession(parts);
    } catch (RuntimeException | Error e) {
      parts.release();
      throw e;
    }
  }

  /** What a step must be fed. */
  public List<String> inputs() {
    return step.inputs();
  }

  /** What a step gives, in the graph's order; the loss comes first. */
  public List<String> outputs() {
    return step.outputs();
  }

  /** Runs forward and backward once and adds to the gradients. */
  public SequencedMap<String, HostTensor> step(Map<String, HostTensor> feeds) {
    requireOpen();
    return step.run(feeds, Arena.ofAuto());
  }

  /** Runs the graph for evaluation. */
  public SequencedMap<String, HostTensor> evaluate(Map<String, HostTensor> feeds) {
    requireOpen();
    return evalStep.run(feeds, Arena.ofAuto());
  }

  /** Lets the next step begin the gradients anew. */
  public void resetGradients() {
    requireOpen();
    ort.check(
        training.api().LazyResetGrad(session), name + ": the gradients could not be set to zero");
  }

  /** The rate of the optimizer steps from now on; it is in no checkpoint. */
  public void setLearningRate(double rate) {
    requireOpen();
    ort.check(
        training.api().SetLearningRate(session, (float) rate),
        name + ": the learning rate could not be set");
  }

  /** Lets the optimizer graph change the parameters by their gradients. */
  public void optimizerStep() {
    requireOpen();
    ort.check(
        training.api().OptimizerStep(session, new OrtRunOptions()),
        name + ": the optimizer step failed");
  }

  /** A copy of a parameter. */
  public HostTensor parameter(String parameter) {
    requireOpen();
    String context = "%s: parameter '%s' cannot be read".formatted(name, parameter);
    OrtValue value = new OrtValue();
    try {
      ort.check(training.api().GetParameter(state, parameter, ort.allocator(), value), context);
      return tensors.copy(value, Arena.ofAuto(), context);
    } finally {
      if (!value.isNull()) {
        ort.api().ReleaseValue(value);
      }
    }
  }

  /**
   * Gives a parameter new values.
   *
   * @throws IllegalArgumentException if type or shape are not the parameter's; ONNX Runtime would
   *     read beyond the end
   */
  public void setParameter(String parameter, HostTensor values) {
    requireOpen();
    String context = "%s: parameter '%s' cannot be set".formatted(name, parameter);
    requireFit(parameter, values, context);
    try (Arena copies = Arena.ofConfined()) {
      OrtValue value = tensors.wrap(values, copies, context);
      try {
        ort.check(training.api().UpdateParameter(state, parameter, value), context);
      } finally {
        ort.api().ReleaseValue(value);
      }
    } finally {
      Reference.reachabilityFence(values);
    }
  }

  private void requireFit(String parameter, HostTensor values, String context) {
    OrtTensorTypeAndShapeInfo info = new OrtTensorTypeAndShapeInfo();
    ort.check(training.api().GetParameterTypeAndShape(state, parameter, info), context);
    try {
      DType dtype = tensors.elementType(info, context);
      Shape shape = Shape.of(tensors.dims(info, context));
      if (dtype != values.dtype() || !shape.equals(values.shape())) {
        throw new IllegalArgumentException(
            "%s: it is %s %s, not %s %s"
                .formatted(context, dtype, shape, values.dtype(), values.shape()));
      }
    } finally {
      ort.api().ReleaseTensorTypeAndShapeInfo(info);
    }
  }

  /** Writes parameters and the optimizer's state as a checkpoint of ONNX Runtime Training. */
  public void saveCheckpoint(Path file) {
    requireOpen();
    try (PointerScope _ = new PointerScope()) {
      ort.check(
          training.api().SaveCheckpoint(state, OrtLibrary.path(file.toString()), true),
          file + ": the checkpoint could not be written");
    }
  }

  private void requireOpen() {
    if (closed) {
      throw new IllegalStateException(name + ": the training session is closed");
    }
  }

  /** Frees everything. Tensors that it gave stay valid. */
  @Override
  public void close() {
    if (!closed) {
      closed = true;
      parts.release();
    }
  }
}
