package dev.graft.fold;

import dev.graft.fold.CarriedFiles.Carried;
import dev.graft.io.AtomicOutput;
import dev.graft.io.OutputFile;
import dev.graft.onnx.FilePlan;
import dev.graft.onnx.OnnxModel;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.SequencedMap;
import java.util.function.Supplier;

/** A model file of its own with data files beside it. */
final class NewFiles implements Destination {

  private final AtomicOutput output;
  private final OutputFile main;
  private final List<OutputFile> written = new ArrayList<>();

  /**
   * Prepares them.
   *
   * @param output what they are a part of
   * @param main the model file
   */
  NewFiles(AtomicOutput output, OutputFile main) {
    this.output = output;
    this.main = main;
  }

  @Override
  public Path model() {
    return main.path();
  }

  @Override
  public SequencedMap<String, String> names(OnnxModel base, Supplier<String> hash) {
    return DataFileNames.choose(base.dataFiles().sequencedKeySet(), main.path(), output, hash);
  }

  @Override
  public List<Path> older(MergePlan plan, UndoPolicy undo, List<String> names) {
    List<String> kept = new ArrayList<>(names);
    if (undo != UndoPolicy.NONE) {
      kept.add(String.valueOf(UndoRecord.pathFor(main.path()).getFileName()));
    }
    return OlderOutput.files(plan.request().output(), plan.inputs(), kept);
  }

  @Override
  public void add(SequencedMap<String, FilePlan> files, SourceFiles sources, PlanWriter writer) {
    files.forEach((location, file) -> {
      OutputFile out =
          location.isEmpty() ? main : output.addFile(main.path().resolveSibling(location));
      written.add(out);
      writer.add(file, out);
    });
  }

  @Override
  public void written() {
    // They are what they will be.
  }

  @Override
  public OutputFile record() {
    return output.addSuccessor(UndoRecord.pathFor(main.path()));
  }

  @Override
  public OutputFile scratch() {
    return output.addScratch();
  }

  @Override
  public Carried complete(CarriedFiles carried, List<Path> older) {
    Carried along = carried.add(main.path(), output);
    older.forEach(output::retire);
    return along;
  }

  @Override
  public List<Path> paths() {
    return written.reversed().stream().map(OutputFile::path).toList();
  }

  @Override
  public long bytesWritten() {
    return written.stream().mapToLong(OutputFile::bytesWritten).sum();
  }
}
