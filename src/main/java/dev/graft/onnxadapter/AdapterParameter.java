package dev.graft.onnxadapter;

import dev.graft.error.UnsupportedException;
import dev.graft.tensor.DType;
import dev.graft.tensor.Shape;

/**
 * A tensor of an {@code .onnx_adapter} file.
 *
 * @param name the model's input that it is fed to
 * @param dtype its element type
 * @param shape its dimensions, at least one
 */
public record AdapterParameter(String name, DType dtype, Shape shape) {

  /**
   * Checks what ONNX Runtime would write and then not load.
   *
   * @throws UnsupportedException if the type is none that it loads, bool among others, or there is
   *     no dimension
   */
  public AdapterParameter {
    if (!AdapterSchema.TYPES.contains(dtype)) {
      throw new UnsupportedException(
          "parameter '%s' is of type %s, which ONNX Runtime does not load from an .onnx_adapter file; it takes float and integer types"
              .formatted(name, dtype));
    }
    if (shape.rank() == 0) {
      throw new UnsupportedException(
          "parameter '%s' has no dimensions, which ONNX Runtime does not load from an .onnx_adapter file; it takes shapes such as [1]"
              .formatted(name));
    }
  }

  /** The number of bytes that its values take. */
  public long lengthBytes() {
    return dtype.bytes(shape.elements());
  }
}
