package dev.graft.inject;

import dev.graft.match.Turn;
import dev.graft.safetensors.SafetensorsTensor;
import dev.graft.tensor.Shape;

/**
 * One of the adapter's tensors as an initializer of the model with branches.
 *
 * @param name the initializer's name
 * @param source the adapter's tensor; its name is PEFT's key
 * @param shape the initializer's dimensions
 * @param turn whether a matrix lies in the graph as PEFT saves it or the other way round
 */
public record Trainable(String name, SafetensorsTensor source, Shape shape, Turn turn) {

  /** PEFT's name for the tensor in {@code adapter_model.safetensors}. */
  public String key() {
    return source.name();
  }
}
