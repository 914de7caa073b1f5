package dev.graft.onnx;

import dev.graft.tensor.DType;
import dev.graft.tensor.Shape;

/**
 * A tensor that a patch adds to a model, or puts in the place of another one.
 *
 * @param name a name that is free in the whole model, or that of the tensor replaced
 * @param dtype its element type
 * @param shape its dimensions
 * @param content its values
 */
public record NewTensor(String name, DType dtype, Shape shape, TensorContent content) {

  /**
   * Checks the length.
   *
   * @throws IllegalArgumentException if the content is not as long as type and shape ask for
   */
  public NewTensor {
    if (dtype.onnxCode() == 0 || dtype == DType.STRING) {
      throw new IllegalArgumentException(
          "new tensor '%s' cannot be of type %s".formatted(name, dtype));
    }
    long expected = dtype.bytes(shape.elements());
    if (content.lengthBytes() != expected) {
      throw new IllegalArgumentException(
          "new tensor '%s' has %d bytes, not %d".formatted(name, content.lengthBytes(), expected));
    }
  }
}
