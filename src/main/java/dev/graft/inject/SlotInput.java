package dev.graft.inject;

import dev.graft.onnx.proto.TensorShapeProto;
import dev.graft.onnx.proto.TypeProto;
import dev.graft.onnx.proto.ValueInfoProto;
import dev.graft.tensor.DType;
import java.util.List;

/**
 * An input of a model as it is declared.
 *
 * @param name its name
 * @param code ONNX's number for its element type
 * @param extents its dimensions
 */
record SlotInput(String name, int code, List<Extent> extents) {

  SlotInput {
    extents = List.copyOf(extents);
  }

  /**
   * One dimension.
   *
   * @param size how long it is; -1 if it is as long as what is fed
   * @param symbol the name of an open one, which may be empty
   */
  record Extent(long size, String symbol) {
    static Extent of(TensorShapeProto.Dimension dim) {
      return dim.hasDimValue()
          ? new Extent(dim.getDimValue(), "")
          : new Extent(-1, dim.getDimParam());
    }

    boolean isFixed() {
      return size >= 0;
    }

    boolean takes(long length) {
      return !isFixed() || size == length;
    }

    @Override
    public String toString() {
      return isFixed() ? Long.toString(size) : symbol.isEmpty() ? "?" : symbol;
    }
  }

  static SlotInput of(ValueInfoProto value) {
    TypeProto.Tensor type = value.getType().getTensorType();
    return new SlotInput(
        value.getName(),
        type.getElemType(),
        type.getShape().getDimList().stream().map(Extent::of).toList());
  }

  /** Whether it takes one of the float types that adapters have. */
  boolean isFloat() {
    return DType.ofOnnx(code).filter(DType::isFoldable).isPresent();
  }

  /** The element type of one for which {@link #isFloat} holds. */
  DType dtype() {
    return DType.ofOnnx(code).orElseThrow();
  }

  /** Whether a tensor of such dimensions can be fed. */
  boolean takes(long... dims) {
    if (extents.size() != dims.length) {
      return false;
    }
    for (int i = 0; i < dims.length; i++) {
      if (!extents.get(i).takes(dims[i])) {
        return false;
      }
    }
    return true;
  }
}
