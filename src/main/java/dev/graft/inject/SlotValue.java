package dev.graft.inject;

import dev.graft.onnx.proto.TensorShapeProto;
import dev.graft.onnx.proto.TypeProto;
import dev.graft.onnx.proto.ValueInfoProto;
import dev.graft.tensor.DType;
import dev.graft.tensor.Shape;

/** Declares an input for an adapter's tensor. */
final class SlotValue {

  private SlotValue() {}

  /**
   * An input.
   *
   * @param shape its dimensions
   * @param openAxis the dimension that is the rank and has a name instead of a size
   * @param rankName that name
   */
  static ValueInfoProto open(String name, Shape shape, int openAxis, String rankName) {
    TensorShapeProto.Builder dims = dims(shape);
    dims.getDimBuilder(openAxis).clearDimValue().setDimParam(rankName);
    return value(name, DType.FLOAT32, dims);
  }

  /** An input all of whose dimensions are fixed. */
  static ValueInfoProto fixed(String name, DType dtype, Shape shape) {
    return value(name, dtype, dims(shape));
  }

  private static TensorShapeProto.Builder dims(Shape shape) {
    TensorShapeProto.Builder dims = TensorShapeProto.newBuilder();
    for (long dim : shape.toArray()) {
      dims.addDimBuilder().setDimValue(dim);
    }
    return dims;
  }

  private static ValueInfoProto value(String name, DType dtype, TensorShapeProto.Builder dims) {
    TypeProto.Tensor.Builder type =
        TypeProto.Tensor.newBuilder().setElemType(dtype.onnxCode()).setShape(dims);
    return ValueInfoProto.newBuilder()
        .setName(name)
        .setType(TypeProto.newBuilder().setTensorType(type))
        .build();
  }
}
