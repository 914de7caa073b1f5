package dev.graft.cli;

import dev.graft.match.Gap;
import dev.graft.match.Layout;
import dev.graft.onnx.StoredTensor;
import dev.graft.tensor.Shape;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/**
 * A tensor in a report.
 *
 * @param name its name in the file
 * @param dtype its element type
 * @param shape its dimensions, outermost first
 * @param layout how a matrix is turned; absent where that has no meaning
 */
record TensorEntry(String name, String dtype, List<Long> shape, Optional<String> layout) {

  static TensorEntry of(StoredTensor tensor) {
    return new TensorEntry(tensor.label(), typeOf(tensor), dims(tensor.shape()), Optional.empty());
  }

  static TensorEntry of(StoredTensor tensor, Layout layout) {
    String name = layout.name().toLowerCase(Locale.ROOT);
    return new TensorEntry(tensor.label(), typeOf(tensor), dims(tensor.shape()), Optional.of(name));
  }

  /** A tensor that the graph gets. */
  static TensorEntry of(Gap gap, Shape shape) {
    return new TensorEntry(gap.name(), gap.dtype().name(), dims(shape), Optional.empty());
  }

  static String typeOf(StoredTensor tensor) {
    return tensor.knownType().map(Enum::name).orElse("type " + tensor.proto().getDataType());
  }

  static List<Long> dims(Shape shape) {
    return Arrays.stream(shape.toArray()).boxed().toList();
  }
}
