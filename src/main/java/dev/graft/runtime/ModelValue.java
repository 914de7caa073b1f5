package dev.graft.runtime;

import dev.graft.tensor.DType;
import dev.graft.tensor.Shape;
import java.util.List;

/**
 * An input or output of a model, as the model declares it.
 *
 * @param name the graph's name for it
 * @param dtype the element type
 * @param dims the axes, outermost first; none for a scalar
 */
public record ModelValue(String name, DType dtype, List<Dimension> dims) {

  /** Keeps its own copy of the axes. */
  public ModelValue {
    dims = List.copyOf(dims);
  }

  /**
   * Whether a tensor of this shape can be fed: the same rank, and the same length on every fixed
   * axis.
   */
  public boolean admits(Shape shape) {
    if (shape.rank() != dims.size()) {
      return false;
    }
    for (int axis = 0; axis < dims.size(); axis++) {
      Dimension dim = dims.get(axis);
      if (!dim.isFree() && dim.size() != shape.dim(axis)) {
        return false;
      }
    }
    return true;
  }

  /** Type and axes, such as {@code INT64 [batch, sequence]}. */
  public String signature() {
    return dtype + " " + dims;
  }
}
