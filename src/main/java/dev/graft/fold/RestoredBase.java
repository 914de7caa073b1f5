package dev.graft.fold;

import dev.graft.adapter.PeftAdapter;
import dev.graft.error.BindingException;
import dev.graft.error.FormatException;
import dev.graft.error.UnsupportedException;
import dev.graft.fold.UndoIndex.AdapterTensor;
import dev.graft.fold.UndoIndex.BaseFile;
import dev.graft.fold.UndoIndex.MergedFile;
import dev.graft.fold.UndoIndex.TensorEntry;
import dev.graft.io.ComposedFile;
import dev.graft.io.ComposedFile.Extent;
import dev.graft.io.OpenFile;
import dev.graft.onnx.ModelFiles;
import dev.graft.onnx.OnnxModel;
import dev.graft.safetensors.SafetensorsTensor;
import dev.graft.tensor.Shape;
import dev.graft.tensor.TensorSource;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Optional;
import java.util.SequencedMap;

/**
 * The base of a merged model, as files that are read out of the merged ones and the undo record.
 * Nothing of it lies anywhere; whatever takes a model takes it like any other.
 */
public final class RestoredBase implements ModelFiles, AutoCloseable {

  private final OnnxModel merged;
  private final UndoRecord record;
  private final AdapterValues values = new AdapterValues();
  private final List<OpenFile> mergedFiles = new ArrayList<>();
  private final RestorerPool restorers;
  private final RestoredRows rows;
  private final RestoredLiterals literals;
  private final List<RestoredTensor> tensors;
  private final SequencedMap<String, ComposedFile> files = new LinkedHashMap<>();

  private RestoredBase(OnnxModel merged, UndoRecord record, Optional<PeftAdapter> adapter) {
    this.merged = merged;
    this.record = record;
    this.restorers = new RestorerPool(this::restorer);
    try {
      openMerged();
      this.rows = new RestoredRows(record, tensors(adapter), values);
      this.literals = new RestoredLiterals(record.reader(), record.index().literals());
      this.tensors =
          record.index().tensors().stream()
              .map(t -> new RestoredTensor(merged.path(), t, restorers))
              .toList();
      compose();
    } catch (IllegalArgumentException | ArithmeticException | IndexOutOfBoundsException e) {
      close();
      throw record.reader().damaged(String.valueOf(e.getMessage()));
    } catch (RuntimeException e) {
      close();
      throw e;
    }
  }

  /**
   * Opens the base of a merged model.
   *
   * @param model the merged model's file, its undo record beside it
   * @param adapter the adapter that was merged, if the record has to do without it
   * @throws FormatException if the record is missing, damaged or that of another model, or the
   *     merged files were changed
   * @throws BindingException if the adapter is needed and not given, or another one
   */
  public static RestoredBase open(Path model, Optional<PeftAdapter> adapter) {
    OnnxModel merged = OnnxModel.open(model);
    return new RestoredBase(merged, UndoRecord.open(merged), adapter);
  }

  private void openMerged() {
    for (MergedFile file : record.index().merged()) {
      OpenFile open =
          file.location().isEmpty()
              ? merged.openSource(merged.path())
              : merged.openSource(
                  Optional.ofNullable(merged.dataFiles().get(file.location()))
                      .orElseThrow(
                          () -> changed(file.location() + " is not one of its data files")));
      mergedFiles.add(open);
      if (open.size() != file.length()) {
        throw changed(
            "%s has %,d bytes, not %,d".formatted(open.path(), open.size(), file.length()));
      }
    }
  }

  private FormatException changed(String how) {
    return new FormatException(
        merged.path()
            + ": was changed since it was merged: "
            + how
            + "; merge again from the base");
  }

  private List<SafetensorsTensor> tensors(Optional<PeftAdapter> adapter) {
    UndoIndex.AdapterEntry entry = record.index().adapter();
    adapter.ifPresent(given -> requireSame(given, entry));
    if (!entry.stored() && adapter.isEmpty()) {
      throw new BindingException(
          "%s: the undo record was written without the adapter's tensors; give the adapter '%s' (SHA-256 %s), with -a to unmerge and with --with to switch"
              .formatted(merged.path(), entry.name(), entry.sha256()));
    }
    return entry.tensors().stream()
        .map(t -> entry.stored() ? stored(t) : given(t, adapter.orElseThrow()))
        .toList();
  }

  private static void requireSame(PeftAdapter given, UndoIndex.AdapterEntry entry) {
    if (!given.sha256().equals(entry.sha256())) {
      throw new BindingException(
          "%s: has the SHA-256 %s; the adapter in the model is '%s' with %s"
              .formatted(given.name(), given.sha256(), entry.name(), entry.sha256()));
    }
  }

  private SafetensorsTensor stored(AdapterTensor tensor) {
    Shape shape = Shape.of(tensor.shape().stream().mapToLong(Long::longValue).toArray());
    long length = tensor.dtype().bytes(shape.elements());
    if (tensor.offset() < 0 || tensor.offset() > record.reader().file().size() - length) {
      throw record.reader().damaged("tensor '" + tensor.name() + "' does not lie in it");
    }
    TensorSource source = new TensorSource(record.reader().file().path(), tensor.offset(), length);
    return new SafetensorsTensor(tensor.name(), tensor.dtype(), shape, source);
  }

  private static SafetensorsTensor given(AdapterTensor tensor, PeftAdapter adapter) {
    return adapter.tensors().stream()
        .filter(t -> t.name().equals(tensor.name()))
        .findFirst()
        .orElseThrow(
            () -> new BindingException(adapter.name() + ": has no tensor '" + tensor.name() + "'"));
  }

  private void compose() {
    long literal = 0;
    for (BaseFile file : record.index().base()) {
      List<Extent> extents = new ArrayList<>();
      long start = 0;
      for (List<Long> piece : file.pieces()) {
        Extent extent = extent(piece, start, literal);
        literal += piece.getFirst() == UndoIndex.LITERAL ? extent.length() : 0;
        extents.add(extent);
        start = extent.end();
      }
      files.put(file.location(), new ComposedFile(path(file.location()), extents));
    }
  }

  private Extent extent(List<Long> piece, long start, long literal) {
    long kind = piece.getFirst();
    if (kind == UndoIndex.COPIED) {
      OpenFile from = mergedFiles.get(Math.toIntExact(piece.get(1)));
      return new Extent(start, piece.get(3), from, piece.get(2));
    }
    if (kind == UndoIndex.TENSOR) {
      RestoredTensor tensor = tensors.get(Math.toIntExact(piece.get(1)));
      return new Extent(start, tensor.size(), tensor, 0);
    }
    if (kind == UndoIndex.LITERAL) {
      return new Extent(start, piece.get(1), literals, literal);
    }
    throw record.reader().damaged("it names a kind of bytes " + kind);
  }

  private Path path(String location) {
    return location.isEmpty() ? merged.path() : merged.path().resolveSibling(location);
  }

  private TensorRestorer restorer(TensorEntry entry) {
    try {
      return new TensorRestorer(
          entry,
          record.reader(),
          mergedFiles.get(entry.place().file()),
          entry.kind() == UndoKind.REPLACED ? null : rows.of(entry));
    } catch (IllegalArgumentException
        | ArithmeticException
        | IndexOutOfBoundsException
        | NegativeArraySizeException e) {
      throw record.reader().damaged("tensor '" + entry.name() + "': " + e.getMessage(), e);
    }
  }

  /** The merge that is taken back. */
  public Provenance provenance() {
    return record.provenance();
  }

  UndoRecord record() {
    return record;
  }

  /** Every file that is read, for as long as this is open. */
  public List<Path> inputs() {
    List<Path> inputs = new ArrayList<>(List.of(merged.path(), record.reader().file().path()));
    inputs.addAll(merged.dataFiles().values());
    return inputs;
  }

  /** The base's files by location, the model first, under an empty one. */
  SequencedMap<String, ComposedFile> files() {
    return new LinkedHashMap<>(files);
  }

  /**
   * The data files of the merged model, which hold those of the base.
   *
   * @throws UnsupportedException if they are not as many
   */
  List<InPlaceFile> places() {
    List<String> base = List.copyOf(files.sequencedKeySet());
    List<MergedFile> now = record.index().merged();
    if (base.size() != now.size()) {
      throw new UnsupportedException(
          "%s: has %d files, its base %d; in place keeps the layout: write a new file with -o"
              .formatted(merged.path(), now.size(), base.size()));
    }
    List<InPlaceFile> places = new ArrayList<>();
    for (int i = 0; i < base.size(); i++) {
      if (!base.get(i).isEmpty()) {
        Path path = mergedFiles.get(i).path();
        places.add(new InPlaceFile(base.get(i), now.get(i).location(), path));
      }
    }
    return places;
  }

  /** Bytes of the base's files together. */
  public long bytes() {
    return files.values().stream().mapToLong(ComposedFile::size).sum();
  }

  /**
   * Refuses to go on if what was read of the base is not what it was.
   *
   * @param plan a merge into it that has been written
   * @param skeletonSha256 of the base's model file without its weights
   */
  void requireRestored(MergePlan plan, String skeletonSha256) {
    requireSkeleton(skeletonSha256);
    for (FoldedTensor tensor : plan.tensors()) {
      tensor
          .base()
          .flatMap(stored -> stored.source())
          .flatMap(this::restored)
          .ifPresent(r -> ExtentCopy.requireRestored(r, tensor.hashes().before().orElseThrow()));
    }
  }

  /** Refuses a model file that is not the one that was merged into. */
  void requireSkeleton(String sha256) {
    String expected = record.provenance().base().skeletonSha256();
    if (!sha256.equals(expected)) {
      throw changed(
          "without the merge its graph has the SHA-256 %s, not the base's %s"
              .formatted(sha256, expected));
    }
  }

  private Optional<RestoredTensor> restored(TensorSource source) {
    return files.values().stream()
        .filter(f -> f.path().equals(source.file()))
        .flatMap(f -> f.extents(source.offset(), source.length()).stream())
        .filter(e -> e.source() instanceof RestoredTensor t && e.length() == t.size())
        .map(e -> (RestoredTensor) e.source())
        .findFirst();
  }

  /** Bytes read so far from the merged files and the record. */
  long bytesRead() {
    return mergedFiles.stream().mapToLong(OpenFile::bytesRead).sum()
        + record.reader().file().bytesRead();
  }

  @Override
  public Path path() {
    return merged.path();
  }

  @Override
  public OpenFile open() {
    return file("", merged.path().toString());
  }

  @Override
  public DataFile find(String location, String context) {
    ComposedFile file = file(location, context);
    return new DataFile(file.path(), file.size());
  }

  @Override
  public OpenFile open(String location) {
    return file(location, merged.path().toString());
  }

  private ComposedFile file(String location, String context) {
    ComposedFile file = files.get(location);
    if (file == null) {
      throw record.reader().damaged(context + ": it has no file '" + location + "'");
    }
    return file;
  }

  @Override
  public void close() {
    restorers.close();
    values.close();
    mergedFiles.forEach(OpenFile::close);
    record.close();
  }
}
