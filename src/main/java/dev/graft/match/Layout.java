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

  /** The number of output features of a stored shape of two or more dimensions. */
  public long out(Shape stored) {
    return this == OUT_IN ? stored.dim(0) : behindFirst(stored);
  }

  /** The number of input features of a stored shape, those of a kernel counted in. */
  public long in(Shape stored) {
    return this == OUT_IN ? behindFirst(stored) : stored.dim(0);
  }

  private static long behindFirst(Shape stored) {
    return stored.elements() / Math.max(1, stored.dim(0));
  }
}
