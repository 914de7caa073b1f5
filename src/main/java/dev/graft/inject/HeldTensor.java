package dev.graft.inject;

import dev.graft.match.Turn;
import dev.graft.onnx.StoredTensor;

/**
 * One of the tensors of an adapter that a model holds as branches.
 *
 * @param key PEFT's name for it
 * @param tensor where it lies in the model
 * @param turn whether PEFT saves the matrix as it lies there or the other way round
 */
record HeldTensor(String key, StoredTensor tensor, Turn turn) {

  /** What PEFT puts in front of every name. */
  static final String STEM = "base_model.model.";
}
