package dev.graft.inject;

import dev.graft.error.UnsupportedException;
import dev.graft.io.OpenFile;
import dev.graft.match.Layout;
import dev.graft.match.TargetModule;
import dev.graft.onnx.OnnxModel;
import dev.graft.onnx.StoredTensor;
import dev.graft.onnx.TypedValues;
import dev.graft.tensor.FloatCodec;
import dev.graft.tensor.TensorSource;
import java.lang.foreign.MemorySegment;

/** Values of the base that a new adapter begins with. */
final class BaseValues {

  /** A float array, and a buffer of its bytes, cannot be longer. */
  static final long MAX_ELEMENTS = Integer.MAX_VALUE / Float.BYTES - 64L;

  private final OnnxModel model;

  BaseValues(OnnxModel model) {
    this.model = model;
  }

  /**
   * All values of a tensor, row after row.
   *
   * @throws UnsupportedException if it is not of floats, or too large to be held
   */
  float[] of(StoredTensor tensor) {
    if (!tensor.dtype().isFoldable() || tensor.shape().elements() > MAX_ELEMENTS) {
      throw new UnsupportedException(
          "%s: tensor '%s' %s of type %s cannot be what a new adapter begins with: it has to be of floats and at most %,d values"
              .formatted(
                  model.path(), tensor.label(), tensor.shape(), tensor.dtype(), MAX_ELEMENTS));
    }
    int count = (int) tensor.shape().elements();
    float[] values = new float[count];
    new FloatCodec(tensor.dtype(), count).decode(bytes(tensor), 0, values, count);
    return values;
  }

  /** All bytes of a tensor, little-endian, row after row. */
  MemorySegment bytes(StoredTensor tensor) {
    if (tensor.source().isEmpty()) {
      try (OpenFile file = model.openSource(model.path())) {
        return MemorySegment.ofArray(TypedValues.decode(tensor, file));
      }
    }
    TensorSource source = tensor.source().get();
    MemorySegment bytes = MemorySegment.ofArray(new byte[Math.toIntExact(source.length())]);
    try (OpenFile file = model.openSource(source.file())) {
      file.readFully(bytes, source.offset());
    }
    return bytes;
  }

  /** A module's weight as PyTorch keeps it, {@code [out, in]}. */
  float[] weight(TargetModule module) {
    TargetModule.Stored stored = module.stored();
    float[] values = of(stored.tensor());
    boolean isKernel = stored.tensor().shape().rank() != 2;
    if (isKernel || stored.layout() == Layout.OUT_IN) {
      return values;
    }
    int in = Math.toIntExact(stored.tensor().shape().dim(0));
    int out = Math.toIntExact(stored.tensor().shape().dim(1));
    float[] turned = new float[values.length];
    for (int i = 0; i < in; i++) {
      for (int o = 0; o < out; o++) {
        turned[o * in + i] = values[i * out + o];
      }
    }
    return turned;
  }

  /**
   * The length of every output's weights: {@code ‖α·W‖} over the inputs; of a table that of every
   * column.
   */
  float[] lengths(TargetModule module) {
    float[] weight = weight(module);
    boolean isTable = module.kind() == TargetModule.Kind.EMBEDDING;
    int rows = Math.toIntExact(module.stored().layout().out(module.stored().tensor().shape()));
    int columns = weight.length / Math.max(1, rows);
    double[] squares = new double[isTable ? columns : rows];
    for (int i = 0; i < weight.length; i++) {
      squares[isTable ? i % columns : i / columns] += (double) weight[i] * weight[i];
    }
    int first = isTable ? 0 : Math.toIntExact(module.stored().outputs().from());
    int count = Math.toIntExact(module.stored().outputs().countOf(squares.length));
    float[] lengths = new float[count];
    for (int i = 0; i < count; i++) {
      lengths[i] = (float) (Math.sqrt(squares[first + i]) * Math.abs(module.stored().alpha()));
    }
    return lengths;
  }
}
