package dev.graft.match;

import dev.graft.onnx.StoredTensor;
import dev.graft.tensor.Shape;

/**
 * A module of the model that a low-rank pair can be made for.
 *
 * @param name its full name, as PyTorch would have it
 * @param kind what it does with its weight
 * @param shape the weight in PyTorch's layout: {@code [out, in]}, of a convolution {@code [out, in,
 *     k..]}, of a table {@code [rows, width]}
 * @param role whether its product is an output of the model
 * @param stored where its weight lies, for whoever has to know its values
 */
public record TargetModule(String name, Kind kind, Shape shape, Role role, Stored stored) {

  /**
   * A stored weight.
   *
   * @param tensor the tensor, which may be quantised
   * @param layout how it is turned
   * @param alpha the operator's own factor on the product
   * @param outputs the tensor's outputs that are the module's
   */
  public record Stored(StoredTensor tensor, Layout layout, float alpha, OutputRange outputs) {}

  /** The same under another name. */
  public TargetModule called(String other) {
    return new TargetModule(other, kind, shape, role, stored);
  }

  /** What a module does with its weight. */
  public enum Kind {
    LINEAR,
    EMBEDDING,
    CONV
  }

  /** Where a module stands. */
  public enum Role {
    /** Other modules work on what it makes. */
    INNER,
    /** Its product is what the model puts out. */
    HEAD
  }
}
