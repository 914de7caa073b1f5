package dev.graft.autodiff;

import dev.graft.tensor.DType;
import java.util.List;
import java.util.Optional;

/**
 * What is known of a value before the graph runs.
 *
 * @param type its element type, empty where nothing says it
 * @param dims the lengths of its axes, empty where not even their number is known
 * @param content the elements of a short tensor of whole numbers, such as a shape, in row-major
 *     order; empty where they are not known or the tensor is of another kind
 */
record Facts(Optional<DType> type, Optional<List<Dim>> dims, Optional<List<Dim>> content) {

  static final Facts NONE = new Facts(Optional.empty(), Optional.empty(), Optional.empty());

  Facts {
    dims = dims.map(List::copyOf);
    content = content.map(List::copyOf);
  }

  static Facts of(Optional<DType> type, List<Dim> dims) {
    return new Facts(type, Optional.of(dims), Optional.empty());
  }

  static Facts of(DType type, List<Dim> dims) {
    return of(Optional.of(type), dims);
  }

  /** A vector of whole numbers with its elements. */
  static Facts vector(List<Dim> content) {
    return of(DType.INT64, List.of(Dim.of(content.size()))).holding(content);
  }

  static Facts unshaped(Optional<DType> type) {
    return new Facts(type, Optional.empty(), Optional.empty());
  }

  Facts holding(List<Dim> elements) {
    return new Facts(type, dims, Optional.of(elements));
  }

  Facts typed(Optional<DType> other) {
    return new Facts(other, dims, content);
  }

  /** Whether the gradient of such a value means something. */
  boolean isFloat() {
    return type.filter(Facts::isFloat).isPresent();
  }

  static boolean isFloat(DType type) {
    return type.isFoldable() || type == DType.FLOAT64;
  }

  Optional<Integer> rank() {
    return dims.map(List::size);
  }

  /** Whether every length is known. */
  boolean isStatic() {
    return dims.isPresent() && dims.get().stream().allMatch(Dim::isConstant);
  }

  /** The length of an axis, counted from the end where negative. */
  Optional<Dim> dim(int axis) {
    if (dims.isEmpty()) {
      return Optional.empty();
    }
    int place = axis < 0 ? axis + dims.get().size() : axis;
    return place < 0 || place >= dims.get().size()
        ? Optional.empty()
        : Optional.of(dims.get().get(place));
  }

  /** The elements as numbers, where all are known. */
  Optional<long[]> numbers() {
    return content
        .filter(c -> c.stream().allMatch(Dim::isConstant))
        .map(c -> c.stream().mapToLong(Dim::value).toArray());
  }
}
