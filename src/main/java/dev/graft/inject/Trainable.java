package dev.graft.inject;

import dev.graft.match.OutputRange;
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
 * @param share which outputs of the two belong together
 */
public record Trainable(
    String name, SafetensorsTensor source, Shape shape, Turn turn, Share share) {

  /**
   * Which outputs of an initializer are which of the adapter's tensor; all of both unless the file
   * packs modules or splits them.
   *
   * @param ofInitializer the initializer's outputs that are the tensor's
   * @param ofSource the tensor's outputs that are there
   */
  public record Share(OutputRange ofInitializer, OutputRange ofSource) {

    /** All of both. */
    public static final Share ALL = new Share(OutputRange.ALL, OutputRange.ALL);
  }

  /** All of a tensor. */
  Trainable(String name, SafetensorsTensor source, Shape shape, Turn turn) {
    this(name, source, shape, turn, Share.ALL);
  }

  /** PEFT's name for the tensor in {@code adapter_model.safetensors}. */
  public String key() {
    return source.name();
  }
}
