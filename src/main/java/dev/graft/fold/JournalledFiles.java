package dev.graft.fold;

import com.google.protobuf.ByteString;
import dev.graft.error.RuntimeFailure;
import dev.graft.error.UnsupportedException;
import dev.graft.fold.CarriedFiles.Carried;
import dev.graft.io.AtomicOutput;
import dev.graft.io.ComposedFile;
import dev.graft.io.ComposedFile.Extent;
import dev.graft.io.InputFile;
import dev.graft.io.Journal;
import dev.graft.io.JournalIndex;
import dev.graft.io.JournalIndex.Changed;
import dev.graft.io.OpenFile;
import dev.graft.io.OutputFile;
import dev.graft.onnx.FilePlan;
import dev.graft.onnx.OnnxModel;
import dev.graft.onnx.Piece;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SequencedMap;
import java.util.function.Supplier;

/**
 * The files that a model has already. Of a plan, only what is not in its place goes into the
 * journal: new values, and a little of the graph.
 */
final class JournalledFiles implements Destination {

  /** For the metadata of file systems, which a file of another length may need too. */
  private static final int MORE_ROOM = 1 << 16;

  private final AtomicOutput output;
  private final Path model;
  private final List<InPlaceFile> data;
  private final UndoPolicy undo;
  private final List<Changed> changes = new ArrayList<>();
  private final List<Piece> payload = new ArrayList<>();
  private int indexBytes;

  /**
   * Prepares the journal.
   *
   * @param output its main file is the journal
   * @param model path of the model file
   * @param data its data files
   * @param undo whether the model has an undo record afterwards
   */
  JournalledFiles(AtomicOutput output, Path model, List<InPlaceFile> data, UndoPolicy undo) {
    this.output = output;
    this.model = model;
    this.data = List.copyOf(data);
    this.undo = undo;
  }

  @Override
  public Path model() {
    return model;
  }

  @Override
  public SequencedMap<String, String> names(OnnxModel base, Supplier<String> hash) {
    SequencedMap<String, String> names = new LinkedHashMap<>();
    data.forEach(file -> names.put(file.base(), file.location()));
    return names;
  }

  @Override
  public List<Path> older(MergePlan plan, UndoPolicy policy, List<String> names) {
    return List.of();
  }

  @Override
  public void add(SequencedMap<String, FilePlan> files, SourceFiles sources, PlanWriter writer) {
    for (InPlaceFile file : data) {
      FilePlan plan = files.get(file.location());
      if (plan != null) {
        add(file.path(), name(file.path()), new Placed(plan, sources));
      }
    }
    add(model, name(model), Placed.of("", files, sources));
    finish(writer);
  }

  /** The same for the files of a base, which get its names. */
  void addBase(SequencedMap<String, FilePlan> files, SourceFiles sources, PlanWriter writer) {
    for (InPlaceFile file : data) {
      add(file.path(), file.base(), Placed.of(file.base(), files, sources));
    }
    add(model, name(model), Placed.of("", files, sources));
    finish(writer);
  }

  /** A plan and what its copies are read from. */
  private record Placed(FilePlan plan, SourceFiles sources) {

    static Placed of(String location, Map<String, FilePlan> files, SourceFiles sources) {
      return new Placed(Optional.ofNullable(files.get(location)).orElseThrow(), sources);
    }
  }

  private void add(Path file, String newName, Placed placed) {
    long length = placed.plan().lengthBytes();
    if (!file.equals(model) && length != length(file)) {
      throw new UnsupportedException(
          "%s: would have %,d bytes in the place of %,d; in place keeps the layout: write a new file with -o"
              .formatted(file, length, length(file)));
    }
    Differences differences = new Differences(file);
    for (Piece piece : placed.plan().pieces()) {
      if (piece instanceof Piece.Copied copied) {
        differences.copy(copied, placed.sources());
      } else {
        differences.add(piece);
      }
    }
    payload.addAll(differences.pieces);
    changes.add(new Changed(name(file), newName, length, differences.ranges));
  }

  private void finish(PlanWriter writer) {
    List<String> removed =
        undo == UndoPolicy.NONE && OlderOutput.isRecord(UndoRecord.pathFor(model))
            ? List.of(name(UndoRecord.pathFor(model)))
            : List.of();
    byte[] index = new JournalIndex(changes, removed).bytes();
    indexBytes = index.length;
    List<Piece> pieces = new ArrayList<>();
    ByteString header = ByteString.copyFrom(new byte[Journal.HEADER_BYTES]);
    pieces.add(new Piece.Literal(header.concat(ByteString.copyFrom(index))));
    pieces.addAll(payload);
    writer.add(new FilePlan(pieces), output.main());
    makeRoom();
  }

  private void makeRoom() {
    long growth = changes.getLast().length() - length(model);
    if (growth > 0) {
      byte[] zeros = new byte[Math.toIntExact(growth) + MORE_ROOM];
      output.addFile(Journal.roomFor(model)).write(MemorySegment.ofArray(zeros), 0);
    }
  }

  private static String name(Path file) {
    return String.valueOf(file.getFileName());
  }

  private static long length(Path file) {
    try {
      return Files.size(file);
    } catch (IOException e) {
      throw new RuntimeFailure(file + ": cannot be examined: " + e.getMessage(), e);
    }
  }

  @Override
  public void written() {
    Journal.seal(output.main(), indexBytes);
  }

  @Override
  public OutputFile record() {
    return output.addAside(UndoRecord.pathFor(model));
  }

  @Override
  public OutputFile scratch() {
    return output.addScratch();
  }

  /** What lies beside the model stays there. */
  @Override
  public Carried complete(CarriedFiles carried, List<Path> older) {
    return new Carried(List.of(), List.of());
  }

  @Override
  public List<Path> paths() {
    List<Path> paths = new ArrayList<>(List.of(model));
    changes.stream()
        .limit(changes.size() - 1L)
        .map(c -> model.resolveSibling(c.newName()))
        .forEach(paths::add);
    return paths;
  }

  /** What goes into the journal is written a second time into the files. */
  @Override
  public long bytesWritten() {
    return output.main().bytesWritten() + new JournalIndex(changes, List.of()).payloadBytes();
  }

  /** What a file does not have in its place. */
  private static final class Differences {

    private final Path file;
    private final List<Piece> pieces = new ArrayList<>();
    private final List<JournalIndex.Range> ranges = new ArrayList<>();
    private long position;

    Differences(Path file) {
      this.file = file;
    }

    void add(Piece piece) {
      long length = piece.lengthBytes();
      if (length == 0) {
        return;
      }
      pieces.add(piece);
      if (!ranges.isEmpty() && end(ranges.getLast()) == position) {
        JournalIndex.Range before = ranges.removeLast();
        ranges.add(new JournalIndex.Range(before.position(), before.length() + length));
      } else {
        ranges.add(new JournalIndex.Range(position, length));
      }
      position += length;
    }

    private static long end(JournalIndex.Range range) {
      return range.position() + range.length();
    }

    void copy(Piece.Copied copied, SourceFiles sources) {
      switch (sources.file(copied.from())) {
        case InputFile from -> copy(copied, from, copied.offset());
        case ComposedFile from -> {
          for (Extent extent : from.extents(copied.offset(), copied.lengthBytes())) {
            Piece.Copied part = new Piece.Copied(copied.from(), extent.start(), extent.length());
            if (extent.source() instanceof InputFile source) {
              copy(part, source, extent.offset());
            } else {
              add(part);
            }
          }
        }
        case OpenFile other -> throw new IllegalStateException(other.path() + ": no known file");
      }
    }

    private void copy(Piece.Copied piece, InputFile from, long offset) {
      if (offset == position && from.isAt(file)) {
        position += piece.lengthBytes();
      } else {
        add(piece);
      }
    }
  }
}
