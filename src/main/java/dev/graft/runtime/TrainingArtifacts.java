package dev.graft.runtime;

import java.lang.foreign.MemorySegment;
import java.util.Optional;

/**
 * The four parts of a training job in memory, each the bytes of a file, as ONNX Runtime Training
 * defines them.
 *
 * @param training the graph that computes loss and gradients
 * @param eval the graph that computes the loss alone
 * @param optimizer the graph of one optimizer step
 * @param checkpoint the trainable parameters, in the format of {@link ParameterCheckpoint}
 */
public record TrainingArtifacts(
    MemorySegment training,
    Optional<MemorySegment> eval,
    Optional<MemorySegment> optimizer,
    MemorySegment checkpoint) {

  /** The graph that computes loss and gradients; the names are those of the files in a folder. */
  public static final String TRAINING = "training_model.onnx";

  /** The graph that computes the loss alone. */
  public static final String EVAL = "eval_model.onnx";

  /** The graph of one optimizer step. */
  public static final String OPTIMIZER = "optimizer_model.onnx";

  /** The trainable parameters. */
  public static final String CHECKPOINT = "checkpoint";
}
