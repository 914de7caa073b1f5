package dev.graft.fold;

import dev.graft.error.FormatException;
import dev.graft.error.UnsupportedException;
import dev.graft.error.UsageException;
import dev.graft.fold.CarriedFiles.Carried;
import dev.graft.fold.Merge.Traffic;
import dev.graft.io.AtomicOutput;
import dev.graft.io.ComposedFile;
import dev.graft.io.InputFile;
import dev.graft.io.OutputFile;
import dev.graft.io.OutputGuard;
import dev.graft.io.Progress;
import dev.graft.io.RangeCopier;
import dev.graft.onnx.FilePlan;
import dev.graft.onnx.OnnxModel;
import dev.graft.onnx.Piece;
import dev.graft.onnx.Skeleton;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SequencedMap;

/** Takes the last merge out of a model: every byte of the base, under the base's own names. */
public final class Unmerge {

  private final RestoredBase base;
  private final Path output;
  private final Existing existing;
  private final Progress progress;

  /** What happens to files that have the names of the base's data files. */
  public enum Existing {
    REFUSED,
    REPLACED
  }

  /**
   * Prepares to take a merge back.
   *
   * @param base the base, open until it is done
   * @param output where its model file is to appear; its data files go beside it
   * @param existing whether data files there may be replaced
   * @param progress told of the bytes written
   */
  public Unmerge(RestoredBase base, Path output, Existing existing, Progress progress) {
    this.base = base;
    this.output = output;
    this.existing = existing;
    this.progress = progress;
  }

  /**
   * What was written.
   *
   * @param output the model file and its data files
   * @param carried the config and tokenizer files that went along
   * @param taken what the merge said of itself
   * @param earlier the record of the merge below, if there is one
   * @param bytes length of all model and data files together
   * @param traffic what was really moved for them
   */
  public record Result(
      List<Path> output,
      Carried carried,
      Provenance taken,
      Optional<Path> earlier,
      long bytes,
      Traffic traffic) {}

  /**
   * Writes the base.
   *
   * @param threads how many threads work
   * @throws dev.graft.error.GraftException if it cannot be done; then nothing has changed
   */
  public Result run(int threads) {
    OutputGuard.check(base.inputs(), output);
    OnnxModel model = OnnxModel.open(base);
    UndoRecord.settle(output.toAbsolutePath());
    try (AtomicOutput out = AtomicOutput.begin(output);
        SourceFiles sources = new SourceFiles(model);
        AdapterValues none = new AdapterValues()) {
      PlanWriter writer = new PlanWriter(sources, none, Recording.NONE, progress);
      List<OutputFile> written = new ArrayList<>();
      for (Map.Entry<String, ComposedFile> file : base.files().entrySet()) {
        OutputFile to = file.getKey().isEmpty() ? out.main() : dataFile(out, file.getKey());
        written.add(to);
        writer.add(plan(file.getValue()), to);
      }
      base.requireSkeleton(Skeleton.sha256(model, sources.file(model.path())));
      writer.run(threads, TensorFolder.BLOCK_BYTES);
      Optional<Path> earlier =
          base.record()
              .earlier()
              .map(run -> {
                Path main = out.main().path();
                return earlier(run, out.addSuccessor(UndoRecord.pathFor(main)), main);
              });
      Carried carried =
          new CarriedFiles(model.path(), new ConfigSizes(List.of(), output))
              .add(out.main().path(), out);
      out.commit();
      Traffic traffic =
          new Traffic(base.bytesRead(), written.stream().mapToLong(OutputFile::bytesWritten).sum());
      return new Result(
          written.stream().map(OutputFile::path).toList(),
          carried,
          base.provenance(),
          earlier,
          base.bytes(),
          traffic);
    }
  }

  /**
   * Writes the base into the merged model's own files, by way of a journal.
   *
   * @param update the right to do so
   * @param threads how many threads work
   * @throws dev.graft.error.GraftException if it cannot be done; then nothing has changed
   */
  public Result run(InPlaceUpdate update, int threads) {
    OnnxModel model = OnnxModel.open(base);
    List<InPlaceFile> places = base.places();
    places.forEach(this::requireName);
    UndoPolicy undo = base.record().earlier().isPresent() ? UndoPolicy.KEPT : UndoPolicy.NONE;
    return update.write(places, undo, files -> write(files, model, threads));
  }

  private Result write(JournalledFiles files, OnnxModel model, int threads) {
    try (SourceFiles sources = new SourceFiles(model);
        AdapterValues none = new AdapterValues()) {
      PlanWriter writer = new PlanWriter(sources, none, Recording.NONE, progress);
      SequencedMap<String, FilePlan> plans = new LinkedHashMap<>();
      base.files().forEach((location, file) -> plans.put(location, plan(file)));
      files.addBase(plans, sources, writer);
      base.requireSkeleton(Skeleton.sha256(model, sources.file(model.path())));
      writer.run(threads, TensorFolder.BLOCK_BYTES);
      files.written();
      Optional<Path> earlier =
          base.record().earlier().map(run -> earlier(run, files.record(), files.model()));
      Traffic traffic = new Traffic(base.bytesRead(), files.bytesWritten());
      return new Result(
          files.paths(),
          new Carried(List.of(), List.of()),
          base.provenance(),
          earlier,
          base.bytes(),
          traffic);
    }
  }

  /** In place a data file gets the base's name, where it has another one by now. */
  private void requireName(InPlaceFile file) {
    requirePlain(file.base());
    Path path = output.resolveSibling(file.base());
    boolean same = path.getFileName().equals(file.path().getFileName());
    if (!same
        && Files.exists(path, LinkOption.NOFOLLOW_LINKS)
        && (existing == Existing.REFUSED
            || !Files.isRegularFile(path, LinkOption.NOFOLLOW_LINKS))) {
      throw taken(path);
    }
  }

  private static FilePlan plan(ComposedFile file) {
    return new FilePlan(List.of(new Piece.Copied(file.path(), 0, file.size())));
  }

  /** The names come from a file that a stranger may have written. */
  private void requirePlain(String location) {
    if (location.contains("/")
        || location.contains("\\")
        || location.startsWith(".")
        || location.chars().anyMatch(c -> c < ' ')) {
      throw new UnsupportedException(
          "%s: the base names its data file '%s'; Graft writes data files beside the model only"
              .formatted(base.path(), location));
    }
    Path path = output.resolveSibling(location);
    if (path.getFileName().equals(output.getFileName())) {
      throw new UsageException(
          path + ": the base's data file has this name; choose another one for the model");
    }
  }

  private OutputFile dataFile(AtomicOutput out, String location) {
    requirePlain(location);
    Path path = out.main().path().resolveSibling(location);
    OutputGuard.check(base.inputs(), path);
    if (out.isFree(path)) {
      return out.addFile(path);
    }
    if (existing == Existing.REFUSED || !Files.isRegularFile(path, LinkOption.NOFOLLOW_LINKS)) {
      throw taken(path);
    }
    return out.addMain(path);
  }

  private static FormatException taken(Path path) {
    return new FormatException(
        "%s: a file has the name of the base's data file; unmerge into an empty folder, or replace it with --force"
            .formatted(path));
  }

  private Path earlier(UndoIndex.Run run, OutputFile to, Path model) {
    InputFile record = base.record().reader().file();
    try (RangeCopier copier = new RangeCopier(record, to, Progress.NONE)) {
      copier.copy(run.offset(), run.length(), 0);
    }
    return UndoRecord.pathFor(model);
  }
}
