package dev.graft.fold;

import dev.graft.error.FormatException;
import dev.graft.fold.UndoIndex.AdapterTensor;
import dev.graft.fold.UndoIndex.BaseFile;
import dev.graft.fold.UndoIndex.Literals;
import dev.graft.fold.UndoIndex.MergedFile;
import dev.graft.fold.UndoIndex.Place;
import dev.graft.fold.UndoIndex.Run;
import dev.graft.fold.UndoIndex.TensorEntry;
import dev.graft.io.ExternalLocation;
import dev.graft.undo.RecordReader;
import java.util.HashSet;
import java.util.List;
import java.util.Objects;
import java.util.Set;

/**
 * Refuses an index that names what is not there. A record's hash shows that it is whole, not that
 * who wrote it meant well, so every number is held against the files before one is used.
 */
final class UndoIndexCheck {

  private final UndoIndex index;
  private final RecordReader record;
  private final long size;

  private UndoIndexCheck(UndoIndex index, RecordReader record) {
    this.index = index;
    this.record = record;
    this.size = record.file().size();
  }

  /**
   * Holds an index to its rules.
   *
   * @throws FormatException if it breaks one
   */
  static void check(UndoIndex index, RecordReader record) {
    try {
      new UndoIndexCheck(index, record).check();
    } catch (ArithmeticException e) {
      throw record.damaged("its index holds numbers that are too large", e);
    }
  }

  private void check() {
    merged();
    literals(index.literals());
    requireElements(index.tensors(), "tensors");
    index.tensors().forEach(this::tensor);
    base();
    requireElements(index.adapter().tensors(), "adapter's tensors");
    index.adapter().tensors().forEach(this::adapterTensor);
    UndoPartCheck parts = new UndoPartCheck(index.adapter().tensors(), record);
    index.tensors().forEach(parts::check);
    run(index.earlier(), "the earlier record");
  }

  private void merged() {
    requireElements(index.merged(), "merged files");
    require(!index.merged().isEmpty(), "no merged file is named");
    Set<String> locations = new HashSet<>();
    for (MergedFile file : index.merged()) {
      require(locations.add(file.location()), "two merged files are '" + file.location() + "'");
      require(file.length() >= 0, "a merged file has " + file.length() + " bytes");
    }
  }

  private void base() {
    requireElements(index.base(), "base's files");
    require(
        !index.base().isEmpty() && index.base().getFirst().location().isEmpty(),
        "the base has no model file");
    Set<String> locations = new HashSet<>();
    long literals = 0;
    for (BaseFile file : index.base()) {
      require(locations.add(file.location()), "two base files are '" + file.location() + "'");
      if (!file.location().isEmpty()) {
        ExternalLocation.check(file.location(), record.file().path().toString());
      }
      requireElements(file.pieces(), "pieces");
      long length = 0;
      for (List<Long> piece : file.pieces()) {
        long part = piece(piece);
        length = Math.addExact(length, part);
        literals = Math.addExact(literals, piece.getFirst() == UndoIndex.LITERAL ? part : 0);
      }
      require(
          length == file.length(), "the pieces of '" + file.location() + "' have another length");
    }
    require(literals == index.literals().length(), "its literals have another length");
  }

  /** The bytes that a piece stands for. */
  private long piece(List<Long> piece) {
    requireElements(piece, "numbers of a piece");
    require(!piece.isEmpty(), "a piece is empty");
    long kind = piece.getFirst();
    int count = kind == UndoIndex.COPIED ? 4 : 2;
    require(
        kind >= UndoIndex.COPIED && kind <= UndoIndex.LITERAL && piece.size() == count,
        "a piece is " + piece);
    if (kind == UndoIndex.COPIED) {
      place(new Place(Math.toIntExact(piece.get(1)), piece.get(2), piece.get(3)), "a piece");
      return piece.get(3);
    }
    if (kind == UndoIndex.LITERAL) {
      require(piece.get(1) > 0, "a piece is " + piece);
      return piece.get(1);
    }
    require(
        piece.get(1) >= 0 && piece.get(1) < index.tensors().size(),
        "a piece is of a tensor " + piece.get(1));
    return index.tensors().get(Math.toIntExact(piece.get(1))).place().length();
  }

  private void literals(Literals literals) {
    requireElements(literals.stored(), "literal runs");
    require(
        literals.length() >= 0
            && literals.stored().size() == Math.ceilDiv(literals.length(), (long) Literals.STEP),
        "it has another number of literal runs");
    run(new Run(literals.offset(), sum(literals.stored(), "literals")), "its literals");
  }

  private void tensor(TensorEntry tensor) {
    String what = "tensor '" + tensor.name() + "'";
    place(tensor.place(), what);
    require(tensor.dtype().isFoldable(), what + " has the type " + tensor.dtype());
    long length = tensor.place().length();
    long rowBytes = tensor.dtype().bytes(tensor.rowLength());
    require(
        tensor.rowLength() > 0 && rowBytes <= length && length % tensor.dtype().bytes(1) == 0,
        what + " has rows of " + tensor.rowLength() + " values");
    List<Integer> runs = tensor.kept().runs();
    requireElements(runs, "runs");
    long runBytes = RowRecorder.rowsOfRun(rowBytes) * rowBytes;
    require(
        runs.size() == 2 * Math.ceilDiv(length, runBytes), what + " has another number of runs");
    run(new Run(tensor.kept().offset(), sum(runs, what)), what);
    requireElements(tensor.kept().factors(), "factors");
    for (Run vector : tensor.kept().factors()) {
      run(vector, what);
      require(vector.length() % Float.BYTES == 0, what + " has a part of a factor");
    }
  }

  private void adapterTensor(AdapterTensor tensor) {
    String what = "the adapter's tensor '" + tensor.name() + "'";
    requireElements(tensor.shape(), "dimensions");
    long elements = 1;
    for (long dim : tensor.shape()) {
      require(dim > 0, what + " has the shape " + tensor.shape());
      elements = Math.multiplyExact(elements, dim);
    }
    require(!tensor.shape().isEmpty(), what + " has no dimensions");
    require(tensor.dtype().bits() > 0, what + " has the type " + tensor.dtype());
    if (index.adapter().stored()) {
      run(new Run(tensor.offset(), tensor.dtype().bytes(elements)), what);
    }
  }

  private void place(Place place, String what) {
    require(
        place.file() >= 0 && place.file() < index.merged().size(),
        what + " lies in a file " + place.file());
    long end = index.merged().get(place.file()).length();
    require(
        place.offset() >= 0 && place.length() > 0 && place.offset() <= end - place.length(),
        "%s has %d bytes at %d of a file of %d"
            .formatted(what, place.length(), place.offset(), end));
  }

  private void run(Run run, String what) {
    require(
        run.offset() >= 0 && run.length() >= 0 && run.offset() <= size - run.length(),
        "%s has %d bytes at %d, which are not there".formatted(what, run.length(), run.offset()));
  }

  private long sum(List<Integer> lengths, String what) {
    long sum = 0;
    for (int length : lengths) {
      require(length >= 0, what + " has a run of " + length + " bytes");
      sum += length;
    }
    return sum;
  }

  /** JSON knows null in a list, which the fields' own check does not see. */
  private void requireElements(List<?> list, String what) {
    require(list.stream().noneMatch(Objects::isNull), "one of its " + what + " is null");
  }

  private void require(boolean holds, String otherwise) {
    if (!holds) {
      throw record.damaged(otherwise);
    }
  }
}
