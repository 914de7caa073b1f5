package dev.graft.autodiff;

import dev.graft.onnx.Attributes;
import dev.graft.tensor.DType;
import java.util.List;
import java.util.Optional;

/** Emits tensors of zeros. */
final class Zeros {

  private final Emitter emitter;

  Zeros(Emitter emitter) {
    this.emitter = emitter;
  }

  /** Zeros of the shape of a value. */
  String like(String value) {
    return of(emitter.shapeOf(value), value);
  }

  /** Zeros of the shape of a value but for one axis, which has another length. */
  String besides(String value, int axis, long length) {
    Facts facts = emitter.draft().facts(value);
    Optional<List<Dim>> dims = facts.dims();
    if (dims.isPresent() && facts.isStatic()) {
      long[] shape = dims.get().stream().mapToLong(Dim::value).toArray();
      shape[axis] = length;
      return of(emitter.vector(shape), value);
    }
    int rank = facts.rank().orElseThrow();
    String shape = emitter.shapeOf(value);
    String given = emitter.vector(length);
    if (rank == 1) {
      return of(given, value);
    }
    long[] lengths = axis == 0 || axis == rank - 1 ? new long[2] : new long[3];
    List<String> pieces;
    if (axis == 0) {
      lengths[0] = 1;
      lengths[1] = rank - 1L;
      pieces = List.of(given, emitter.split(shape, 0, lengths).getLast());
    } else if (axis == rank - 1) {
      lengths[0] = rank - 1L;
      lengths[1] = 1;
      pieces = List.of(emitter.split(shape, 0, lengths).getFirst(), given);
    } else {
      lengths[0] = axis;
      lengths[1] = 1;
      lengths[2] = rank - 1L - axis;
      List<String> cut = emitter.split(shape, 0, lengths);
      pieces = List.of(cut.getFirst(), given, cut.getLast());
    }
    return of(emitter.concat(0, pieces), value);
  }

  private String of(String shape, String value) {
    DType type = emitter.draft().facts(value).type().orElse(DType.FLOAT32);
    return emitter.op(
        "ConstantOfShape",
        List.of(shape),
        Attributes.of("value", Tensors.scalar("", type, 0).toBuilder().addDims(1).build()));
  }
}
