package dev.graft.fold;

import dev.graft.fold.CarriedFiles.Carried;
import dev.graft.fold.FoldedTensor.Hashes;
import dev.graft.fold.Provenance.AdapterRecord;
import dev.graft.fold.Provenance.BaseRecord;
import dev.graft.fold.Provenance.Changes;
import dev.graft.fold.Provenance.DataFileRecord;
import dev.graft.fold.Provenance.PartRecord;
import dev.graft.fold.Provenance.TensorRecord;
import dev.graft.io.AtomicOutput;
import dev.graft.io.OpenFile;
import dev.graft.io.Progress;
import dev.graft.io.Sha256;
import dev.graft.onnx.FilePlan;
import dev.graft.onnx.ModelPatch;
import dev.graft.onnx.OnnxModel;
import dev.graft.onnx.Skeleton;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.SequencedMap;
import java.util.function.Supplier;

/** Carries out a merge: the base with some byte ranges replaced, complete or not at all. */
public final class Merge {

  /** Stands for a hash that is not known yet; all hashes have this length. */
  static final String NO_HASH = "0".repeat(64);

  private final MergePlan plan;
  private final String tool;
  private final Progress progress;
  private final UndoPolicy undo;

  /**
   * Prepares to carry out a plan without an undo record.
   *
   * @param plan what to do
   * @param tool name and version for the provenance
   * @param progress told of the bytes written
   */
  public Merge(MergePlan plan, String tool, Progress progress) {
    this(plan, tool, progress, UndoPolicy.NONE);
  }

  /**
   * Prepares to carry out a plan.
   *
   * @param plan what to do
   * @param tool name and version for the provenance
   * @param progress told of the bytes written
   * @param undo what is kept for taking the merge back
   */
  public Merge(MergePlan plan, String tool, Progress progress, UndoPolicy undo) {
    this.plan = plan;
    this.tool = tool;
    this.progress = progress;
    this.undo = undo;
  }

  /**
   * What was written.
   *
   * @param output the model file and its data files
   * @param carried the config and tokenizer files that went along
   * @param provenance what the model says of its making
   * @param bytes length of all model and data files together
   * @param undo the undo record and what it takes, if there is one
   * @param traffic what was really moved for the model
   * @param leftOver files of an older output that could not be deleted
   */
  public record Result(
      List<Path> output,
      Carried carried,
      Provenance provenance,
      long bytes,
      Optional<UndoSize> undo,
      Traffic traffic,
      List<Path> leftOver) {

    Result leaving(List<Path> files) {
      return new Result(output, carried, provenance, bytes, undo, traffic, files);
    }
  }

  /**
   * Bytes that went through the disk's files. Holes are neither read nor written, unless a touched
   * tensor lies in one.
   *
   * @param read from the base and from the adapter's tensors
   * @param written to the model and its data files
   */
  public record Traffic(long read, long written) {}

  /**
   * Writes the output.
   *
   * @param threads how many threads fold and copy; the bytes do not depend on it
   * @throws dev.graft.error.GraftException if it cannot be done; then nothing has changed
   */
  public Result run(int threads) {
    return run(threads, TensorFolder.BLOCK_BYTES);
  }

  Result run(int threads, int blockBytes) {
    settle();
    try (AtomicOutput output = AtomicOutput.begin(outputPath())) {
      Result written = write(new NewFiles(output, output.main()), new Effort(threads, blockBytes));
      return written.leaving(output.commit());
    }
  }

  /**
   * Changes the model itself: in its files only the touched tensors and a little of the graph are
   * written, by way of a journal, so that it is the old or the new one whatever happens.
   *
   * @param update the right to do so
   * @param threads how many threads fold; the bytes do not depend on it
   * @throws dev.graft.error.GraftException if it cannot be done; then nothing has changed
   */
  public Result run(InPlaceUpdate update, int threads) {
    plan.requireSameLayout();
    Effort effort = new Effort(threads, TensorFolder.BLOCK_BYTES);
    return update.write(plan.places(), undo, files -> write(files, effort));
  }

  /**
   * How the work is done; the bytes do not depend on it.
   *
   * @param threads how many threads fold and copy
   * @param blockBytes in blocks of about so many bytes
   */
  record Effort(int threads, int blockBytes) {}

  /** What is merged. */
  MergePlan plan() {
    return plan;
  }

  /** Told of the bytes written. */
  Progress progress() {
    return progress;
  }

  /** Where the merged model is to appear. */
  Path outputPath() {
    return plan.request().output();
  }

  /** Finishes what a crash has left undone at the output. */
  void settle() {
    UndoRecord.settle(outputPath().toAbsolutePath());
  }

  /** Writes everything that the output consists of; to commit it is left to the caller. */
  Result write(Destination output, Effort effort) {
    OnnxModel model = plan.model();
    try (SourceFiles sources = new SourceFiles(model);
        AdapterValues adapter = new AdapterValues()) {
      OpenFile modelFile = sources.file(model.path());
      List<DataFileRecord> dataFiles = dataFiles(sources);
      Provenance draft = provenance(NO_HASH, new BaseRecord(NO_HASH, dataFiles), draftTensors());
      ModelPatch patch = plan.patch(modelFile);
      patch.appendMetadata(key(), draft.json().length);
      SequencedMap<String, String> names = output.names(model, contentHash(draft, modelFile));
      Background<String> skeleton = Background.later(() -> Skeleton.sha256(model, modelFile));
      Background<List<Path>> older =
          Background.later(() -> output.older(plan, undo, List.copyOf(names.values())));
      SequencedMap<String, FilePlan> files = patch.plan(names);
      Optional<UndoRecording> recording =
          Optional.of(undo)
              .filter(policy -> policy != UndoPolicy.NONE)
              .map(policy -> new UndoRecording(output.scratch()));
      PlanWriter writer =
          new PlanWriter(
              sources, adapter, recording.<Recording>map(r -> r).orElse(Recording.NONE), progress);
      output.add(files, sources, writer);
      // Neither is needed before the weights are written, so the workers make them.
      writer.alongside(skeleton::get);
      writer.alongside(older::get);
      writer.run(effort.threads(), effort.blockBytes());
      Provenance provenance =
          provenance(
              plan.adapterSha256(), new BaseRecord(skeleton.get(), dataFiles), tensorRecords());
      plan.restored().ifPresent(base -> base.requireRestored(plan, skeleton.get()));
      writer.fill(List.of(provenance.json()));
      output.written();
      Optional<UndoSize> undoSize =
          recording.map(r ->
              new UndoRecorder(plan, sources, adapter, undo)
                  .write(r, output, new UndoRecorder.Merged(files, provenance)));
      Carried carried = output.complete(carriedFiles(), older.get());
      long bytes = files.values().stream().mapToLong(FilePlan::lengthBytes).sum();
      Traffic traffic =
          new Traffic(
              sources.bytesRead()
                  + adapter.bytesRead()
                  + plan.restored().map(RestoredBase::bytesRead).orElse(0L),
              output.bytesWritten());
      return new Result(output.paths(), carried, provenance, bytes, undoSize, traffic, List.of());
    }
  }

  CarriedFiles carriedFiles() {
    return new CarriedFiles(
        plan.model().path(), new ConfigSizes(plan.newSizes(), plan.adapter().path()));
  }

  String key() {
    return Provenance.KEY + (plan.earlier().size() + 1);
  }

  Provenance provenance(String adapterSha256, BaseRecord base, List<TensorRecord> tensors) {
    AdapterRecord adapter =
        new AdapterRecord(plan.adapter().name(), adapterSha256, plan.request().weight());
    return Provenance.of(tool, adapter, base, new Changes(tensors, plan.graphChanges()));
  }

  List<DataFileRecord> dataFiles(SourceFiles sources) {
    List<DataFileRecord> dataFiles = new ArrayList<>();
    plan.model()
        .dataFiles()
        .forEach((location, path) ->
            dataFiles.add(new DataFileRecord(location, sources.file(path).size())));
    return dataFiles;
  }

  List<TensorRecord> draftTensors() {
    return plan.tensors().stream()
        .map(t -> record(t, new Hashes(t.base().map(b -> NO_HASH), NO_HASH)))
        .toList();
  }

  List<TensorRecord> tensorRecords() {
    return plan.tensors().stream().map(t -> record(t, t.hashes())).toList();
  }

  private static TensorRecord record(FoldedTensor tensor, Hashes hashes) {
    List<PartRecord> parts =
        tensor.parts().stream()
            .map(p -> new PartRecord(p.target(), kind(p.change()), scale(p.change())))
            .toList();
    return new TensorRecord(tensor.outputName(), parts, hashes.before(), hashes.after());
  }

  private static String kind(Change change) {
    return switch (change) {
      case Change.LowRank lowRank -> "lora";
      case Change.Dora dora -> "dora";
      case Change.Experts experts -> "experts";
      case Change.Shift shift -> "shift";
      case Change.Rows rows -> "rows";
      case Change.Whole whole -> "whole";
    };
  }

  private static double scale(Change change) {
    return switch (change) {
      case Change.LowRank lowRank -> lowRank.scale();
      case Change.Dora dora -> dora.lowRank().scale();
      case Change.Shift shift -> shift.scale();
      case Change.Experts experts -> experts.scale();
      case Change.Rows rows -> 0;
      case Change.Whole whole -> 0;
    };
  }

  /** Hash of what determines the output: base, adapter, weight and places. */
  Supplier<String> contentHash(Provenance draft, OpenFile modelFile) {
    return () -> {
      Sha256 hash = new Sha256();
      String inputs = plan.adapterSha256() + Skeleton.sha256(plan.model(), modelFile);
      hash.update(MemorySegment.ofArray(draft.json()));
      hash.update(MemorySegment.ofArray(inputs.getBytes(StandardCharsets.US_ASCII)));
      return hash.hex();
    };
  }
}
