package dev.graft.fold;

import dev.graft.error.FormatException;
import dev.graft.fold.UndoIndex.AdapterTensor;
import dev.graft.fold.UndoIndex.PartEntry;
import dev.graft.fold.UndoIndex.TensorEntry;
import dev.graft.match.OutputRange;
import dev.graft.undo.RecordReader;
import java.util.List;
import java.util.Objects;

/** Refuses parts of an undo record's tensors whose factors cannot belong to them. */
final class UndoPartCheck {

  private final List<AdapterTensor> adapter;
  private final RecordReader record;

  /**
   * Prepares.
   *
   * @param adapter the adapter's tensors, checked already
   * @param record for messages
   */
  UndoPartCheck(List<AdapterTensor> adapter, RecordReader record) {
    this.adapter = List.copyOf(adapter);
    this.record = record;
  }

  /**
   * Holds the parts of a tensor to their rules.
   *
   * @param tensor the tensor, the rest of it checked already
   * @throws FormatException if one breaks one
   */
  void check(TensorEntry tensor) {
    String what = "tensor '" + tensor.name() + "'";
    require(tensor.parts().stream().noneMatch(Objects::isNull), what + " has a part that is null");
    require(
        tensor.kind() == UndoKind.REPLACED || !tensor.parts().isEmpty(), what + " has no parts");
    long vectors = tensor.parts().stream().filter(p -> p.kind().equals("dora")).count();
    require(
        vectors == tensor.kept().factors().size(), what + " has another number of factor vectors");
    long elements = tensor.place().length() / tensor.dtype().bytes(1);
    for (PartEntry part : tensor.parts()) {
      part(part, what, elements);
      long count = range(part.region(), what, Long.MAX_VALUE);
      long end =
          part.axis() == Region.Axis.COLUMNS
              ? tensor.rowLength()
              : Math.ceilDiv(elements, (long) tensor.rowLength());
      require(
          count == Long.MAX_VALUE || part.region().getFirst() <= end - count,
          what + " has a part of the rows or columns " + part.region());
    }
  }

  private void part(PartEntry part, String what, long elements) {
    List<Long> a = shape(part.a(), what);
    if (part.kind().equals("shift")) {
      range(part.outputs(), what, product(a));
      return;
    }
    List<Long> b = shape(part.b(), what);
    require(
        part.blocks().size() == 2 && part.blocks().stream().allMatch(n -> n != null && n > 0),
        what + " has the blocks " + part.blocks());
    long rowsOfB = b.getFirst();
    if (part.kind().equals("experts")) {
      require(
          a.getFirst() % part.blocks().getFirst() == 0 && columns(b) == a.getFirst(),
          what + " has factors of " + a + " and " + b);
    } else {
      long ofA = part.blocks().getFirst();
      long ofB = part.blocks().getLast();
      require(
          a.getFirst() % ofA == 0
              && rowsOfB % ofB == 0
              && Math.multiplyExact(columns(a), ofA) <= elements
              && Math.multiplyExact(columns(b), ofB) == a.getFirst(),
          what + " has factors of " + a + " and " + b + " in blocks of " + part.blocks());
    }
    range(part.outputs(), what, rowsOfB);
  }

  private List<Long> shape(int number, String what) {
    require(
        number >= 0 && number < adapter.size(),
        what + " names a tensor " + number + " of the adapter");
    return adapter.get(number).shape();
  }

  private static long product(List<Long> shape) {
    return shape.stream().mapToLong(Long::longValue).reduce(1, Math::multiplyExact);
  }

  private static long columns(List<Long> shape) {
    return product(shape) / shape.getFirst();
  }

  /** How many a range has; {@link Long#MAX_VALUE} for all. */
  private long range(List<Long> range, String what, long end) {
    require(
        range.size() == 2
            && range.stream().allMatch(n -> n != null && n >= 0)
            && range.getLast() > 0
            && (range.getLast() == OutputRange.ALL.count()
                || range.getFirst() <= end - range.getLast()),
        what + " has the range " + range);
    return range.getLast();
  }

  private void require(boolean holds, String otherwise) {
    if (!holds) {
      throw record.damaged(otherwise);
    }
  }
}
