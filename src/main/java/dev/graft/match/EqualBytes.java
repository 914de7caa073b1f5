package dev.graft.match;

import dev.graft.io.ByteSource;
import dev.graft.io.OpenFile;
import dev.graft.onnx.OnnxModel;
import dev.graft.onnx.StoredTensor;
import dev.graft.tensor.TensorSource;
import java.lang.foreign.MemorySegment;
import java.util.HashMap;
import java.util.Map;

/**
 * Compares stored tensors by their values. Exporters copy a module's weight where it runs in both
 * branches of an If, or several times; such copies are the module as much as the first is.
 */
final class EqualBytes {

  private static final int BLOCK_BYTES = 1 << 18;

  private final OnnxModel model;
  private final Map<Pair, Boolean> known = new HashMap<>();
  private final Map<TurnedPair, Boolean> tables = new HashMap<>();

  EqualBytes(OnnxModel model) {
    this.model = model;
  }

  private record Pair(StoredTensor a, StoredTensor b) {}

  /**
   * Whether two sites see the same values in matrices of one size, whichever way round and in
   * whatever float type they are stored.
   */
  boolean sameTable(Site a, Site b) {
    Turn turn = a.layout() == b.layout() ? Turn.AS_IS : Turn.TRANSPOSED;
    return tables.computeIfAbsent(
        new TurnedPair(a.tensor(), b.tensor(), turn),
        p -> new EqualTables(model).same(p.a(), p.b(), p.turn()));
  }

  private record TurnedPair(StoredTensor a, StoredTensor b, Turn turn) {}

  /**
   * Whether all values of a short vector are one and the same, as far as can be told: values in
   * typed fields may be.
   */
  boolean isUniform(StoredTensor tensor) {
    if (tensor.source().isEmpty() || tensor.shape().elements() < 2) {
      return true;
    }
    TensorSource source = tensor.source().get();
    long elementBytes = source.length() / tensor.shape().elements();
    try (OpenFile file = model.openSource(source.file())) {
      byte[] bytes = new byte[(int) Math.min(BLOCK_BYTES, source.length())];
      MemorySegment values = read(file, source.offset(), bytes, bytes.length);
      MemorySegment before = values.asSlice(0, values.byteSize() - elementBytes);
      return before.mismatch(values.asSlice(elementBytes)) < 0;
    }
  }

  /** Whether two tensors have the same type, shape and bytes; typed fields are not compared. */
  boolean same(StoredTensor a, StoredTensor b) {
    boolean alike =
        a.proto().getDataType() == b.proto().getDataType() && a.shape().equals(b.shape());
    return a == b
        || (alike
            && a.source().isPresent()
            && b.source().isPresent()
            && known.computeIfAbsent(new Pair(a, b), p -> same(model, a, model, b)));
  }

  /**
   * Whether tensors of two models have the same bytes.
   *
   * @param ofA the model that holds a
   * @param a a tensor of some type and shape
   * @param ofB the model that holds b
   * @param b a tensor of the same type and shape
   */
  static boolean same(OnnxModel ofA, StoredTensor a, OnnxModel ofB, StoredTensor b) {
    return a.source().isPresent()
        && b.source().isPresent()
        && equal(ofA, a.source().get(), ofB, b.source().get());
  }

  private static boolean equal(OnnxModel ofA, TensorSource a, OnnxModel ofB, TensorSource b) {
    if (a.equals(b)) {
      return true;
    }
    if (a.length() != b.length()) {
      return false;
    }
    try (OpenFile fileOfA = ofA.openSource(a.file());
        OpenFile fileOfB = ofB.openSource(b.file())) {
      byte[] left = new byte[(int) Math.min(BLOCK_BYTES, a.length())];
      byte[] right = new byte[left.length];
      for (long done = 0; done < a.length(); done += left.length) {
        long count = Math.min(left.length, a.length() - done);
        MemorySegment one = read(fileOfA, a.offset() + done, left, count);
        MemorySegment other = read(fileOfB, b.offset() + done, right, count);
        if (one.mismatch(other) >= 0) {
          return false;
        }
      }
    }
    return true;
  }

  private static MemorySegment read(ByteSource file, long offset, byte[] into, long count) {
    MemorySegment part = MemorySegment.ofArray(into).asSlice(0, count);
    file.readFully(part, offset);
    return part;
  }
}
