package dev.graft.match;

import dev.graft.tensor.Shape;

/** How a matrix in the file is turned, against PyTorch's {@code [out, in]}. */
public enum Layout {
  /** As PyTorch keeps a linear layer's weight. */
  OUT_IN,
  /** As ONNX's MatMul wants it. */
  IN_OUT;

  /** The same matrix seen through one Transpose. */
  public Layout transposed() {
    return this == OUT_IN ? IN_OUT : OUT_IN;
  }

  /** The number of output features of a stored shape. */
  public long out(Shape stored) {
    return stored.dim(this == OUT_IN ? 0 : 1);
  }

  /** The number of input features of a stored shape. */
  public long in(Shape stored) {
    return stored.dim(this == OUT_IN ? 1 : 0);
  }
}
