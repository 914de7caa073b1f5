package dev.graft.onnx;

import dev.graft.error.FormatException;
import dev.graft.io.ByteSource;
import dev.graft.io.ComposedFile;
import dev.graft.io.ComposedFile.Extent;
import dev.graft.io.OpenFile;
import dev.graft.onnx.ThinRecord.FileLayout;
import dev.graft.tensor.TensorSource;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.NoSuchElementException;
import java.util.Optional;
import java.util.SequencedMap;

/**
 * The files of the model that stands alone, read out of the base's files and the own data file of a
 * thin one. Nothing of it lies anywhere; whatever takes a model takes it like any other.
 */
public final class ThinFiles implements ModelFiles {

  private final Path path;
  private final Sources sources;
  private final SequencedMap<String, ComposedFile> files = new LinkedHashMap<>();

  /**
   * Where the bytes come from. Whoever opened them closes them.
   *
   * @param base the base's files, the model first
   * @param own the own data file
   * @param provenance what the metadata says of the merge
   */
  public record Sources(
      List<? extends ByteSource> base, ByteSource own, MemorySegment provenance) {}

  /**
   * Where a tensor's bytes lie for a thin model.
   *
   * @param source the file
   * @param offset where in it
   */
  record Place(ByteSource source, long offset) {}

  /** Bytes in memory. */
  private record Memory(Path path, MemorySegment bytes) implements ByteSource {
    @Override
    public long size() {
      return bytes.byteSize();
    }

    @Override
    public void readFully(MemorySegment into, long position) {
      into.copyFrom(bytes.asSlice(position, into.byteSize()));
    }
  }

  /**
   * Puts the files together.
   *
   * @param path of the thin model, for messages
   * @param record what it says of itself
   * @param sources where the bytes come from
   * @throws FormatException if the record names bytes that are not there
   */
  public ThinFiles(Path path, ThinRecord record, Sources sources) {
    this.path = path;
    this.sources = sources;
    try {
      record.layout().forEach(this::compose);
    } catch (IllegalArgumentException
        | ArithmeticException
        | IndexOutOfBoundsException
        | NoSuchElementException e) {
      throw damaged(String.valueOf(e.getMessage()));
    }
  }

  private void compose(FileLayout file) {
    List<Extent> extents = new ArrayList<>();
    long start = 0;
    for (List<Long> piece : file.pieces()) {
      extents.add(extent(piece, start));
      start = extents.getLast().end();
    }
    files.put(file.location(), new ComposedFile(pathOf(file.location()), extents));
  }

  private Extent extent(List<Long> piece, long start) {
    long kind = piece.getFirst();
    if (kind == ThinRecord.BASE) {
      ByteSource from = sources.base().get(Math.toIntExact(piece.get(1)));
      return within(new Extent(start, piece.get(3), from, piece.get(2)));
    }
    if (kind == ThinRecord.OWN) {
      return within(new Extent(start, piece.get(2), sources.own(), piece.get(1)));
    }
    if (kind == ThinRecord.PROVENANCE && piece.get(1) == sources.provenance().byteSize()) {
      return new Extent(start, piece.get(1), new Memory(path, sources.provenance()), 0);
    }
    throw damaged("it names bytes of a kind " + piece);
  }

  private Extent within(Extent extent) {
    long size = extent.source().size();
    if (extent.offset() < 0 || extent.length() > size || extent.offset() > size - extent.length()) {
      throw damaged(
          "%d bytes at %d do not lie in %s"
              .formatted(extent.length(), extent.offset(), extent.source().path()));
    }
    return extent;
  }

  private FormatException damaged(String how) {
    return new FormatException(
        path + ": what the thin model says of itself does not fit: " + how + "; it is damaged");
  }

  /** Where a tensor of this model lies in one piece; empty if it does not. */
  Optional<Place> place(TensorSource source) {
    ComposedFile file =
        files.values().stream()
            .filter(f -> f.path().equals(source.file()))
            .findFirst()
            .orElseThrow();
    List<Extent> extents = file.extents(source.offset(), source.length());
    return extents.size() == 1 && !(extents.getFirst().source() instanceof Memory)
        ? Optional.of(new Place(extents.getFirst().source(), extents.getFirst().offset()))
        : Optional.empty();
  }

  /** The own data file. */
  ByteSource own() {
    return sources.own();
  }

  private Path pathOf(String location) {
    // A name that no file can have, so that it is not taken for one.
    return location.isEmpty() ? path : path.resolve(location);
  }

  @Override
  public Path path() {
    return path;
  }

  @Override
  public OpenFile open() {
    return file("");
  }

  @Override
  public DataFile find(String location, String context) {
    ComposedFile file = file(location);
    return new DataFile(file.path(), file.size());
  }

  @Override
  public OpenFile open(String location) {
    return file(location);
  }

  private ComposedFile file(String location) {
    return Optional.ofNullable(files.get(location))
        .orElseThrow(() -> damaged("it has no file '" + location + "'"));
  }
}
