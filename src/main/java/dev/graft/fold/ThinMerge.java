package dev.graft.fold;

import dev.graft.error.UnsupportedException;
import dev.graft.fold.CarriedFiles.Carried;
import dev.graft.fold.Merge.Effort;
import dev.graft.fold.Merge.Result;
import dev.graft.fold.Merge.Traffic;
import dev.graft.fold.Provenance.BaseRecord;
import dev.graft.fold.Provenance.DataFileRecord;
import dev.graft.io.AtomicOutput;
import dev.graft.io.ByteSource;
import dev.graft.io.OpenFile;
import dev.graft.io.OutputFile;
import dev.graft.onnx.FilePlan;
import dev.graft.onnx.ModelPatch;
import dev.graft.onnx.OnnxModel;
import dev.graft.onnx.Skeleton;
import dev.graft.onnx.StoredTensor;
import dev.graft.onnx.ThinFiles;
import dev.graft.onnx.ThinPatch;
import dev.graft.onnx.ThinRecord;
import dev.graft.onnx.ThinRecord.BaseFile;
import dev.graft.onnx.ThinRecord.BaseModel;
import dev.graft.onnx.ThinRecord.Witness;
import dev.graft.tensor.TensorSource;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SequencedMap;
import java.util.SequencedSet;

/**
 * Carries out a merge without a copy of the base: the output is a small model whose weights lie in
 * the base's own files, and one data file with what the merge changes. Nothing else of the base is
 * read than its graph and the tensors that change. There is no undo record, because the base is
 * there itself.
 */
public final class ThinMerge {

  private final Merge merge;
  private final MergePlan plan;
  private final ThinPlace place;

  /**
   * Prepares to carry out a plan.
   *
   * @param merge the ordinary merge, which is not carried out
   * @throws dev.graft.error.UsageException if the output lies elsewhere than in the folder of the
   *     base or above it
   */
  public ThinMerge(Merge merge) {
    this.merge = merge;
    this.plan = merge.plan();
    this.place = placeOf(plan);
  }

  /**
   * Sees whether a plan can be carried out this way, before anything is written.
   *
   * @throws dev.graft.error.UsageException if the output lies elsewhere than in the folder of the
   *     base or above it
   */
  public static void requirePlace(MergePlan plan) {
    placeOf(plan);
  }

  private static ThinPlace placeOf(MergePlan plan) {
    if (plan.restored().isPresent()) {
      throw new UnsupportedException(
          plan.model().path()
              + ": was merged already and its base lies nowhere, so nothing can share it; unmerge it first");
    }
    return ThinPlace.of(plan.model(), plan.request().output());
  }

  /**
   * Writes the outputs of merges of one adapter into the files of one model.
   *
   * @param merges one for each file, at least one
   * @param threads how many threads fold; the bytes do not depend on it
   * @throws dev.graft.error.GraftException if it cannot be done; then nothing has changed
   */
  public static List<Result> run(List<ThinMerge> merges, int threads) {
    merges.forEach(thin -> thin.merge.settle());
    Effort effort = new Effort(threads, TensorFolder.BLOCK_BYTES);
    try (AtomicOutput output = AtomicOutput.begin(merges.getFirst().merge.outputPath())) {
      List<OutputFile> mains = new ArrayList<>(List.of(output.main()));
      merges.stream().skip(1).forEach(thin -> mains.add(output.addMain(thin.merge.outputPath())));
      List<Result> results = new ArrayList<>();
      for (int i = 0; i < merges.size(); i++) {
        results.add(merges.get(i).write(output, mains.get(i), effort));
      }
      results.set(0, results.getFirst().leaving(output.commit()));
      return results;
    }
  }

  private Result write(AtomicOutput output, OutputFile main, Effort effort) {
    try (SourceFiles sources = new SourceFiles(plan.model());
        AdapterValues adapter = new AdapterValues()) {
      Draft draft = draft(sources, output, main);
      PlanWriter writer = new PlanWriter(sources, adapter, Recording.NONE, merge.progress());
      OutputFile data = output.addFile(main.path().resolveSibling(draft.record.data().location()));
      writer.add(draft.layout.data(), data);
      writer.add(draft.model, main);
      Background<List<Path>> older =
          Background.later(() ->
              OlderOutput.files(
                  merge.outputPath(), plan.inputs(), List.of(draft.record.data().location())));
      writer.alongside(older::get);
      writer.run(effort.threads(), effort.blockBytes());
      Provenance provenance =
          merge.provenance(
              plan.adapterSha256(),
              new BaseRecord(draft.record.base().skeletonSha256(), merge.dataFiles(sources)),
              merge.tensorRecords());
      writer.fill(List.of(provenance.json(), draft.record.witnessed(draft.hashes()).json()));
      Carried carried = merge.carriedFiles().add(main.path(), output);
      older.get().forEach(output::retire);
      return new Result(
          List.of(main.path(), data.path()),
          carried,
          provenance,
          draft.model.lengthBytes() + draft.record.data().length(),
          Optional.empty(),
          new Traffic(
              sources.bytesRead() + adapter.bytesRead(), main.bytesWritten() + data.bytesWritten()),
          List.of());
    }
  }

  /** What is to be written, laid out. */
  private record Draft(
      ThinLayout layout, ThinRecord record, FilePlan model, List<FoldedTensor> witnesses) {
    List<String> hashes() {
      return witnesses.stream().map(t -> t.hashes().before().orElseThrow()).toList();
    }
  }

  private Draft draft(SourceFiles sources, AtomicOutput output, OutputFile main) {
    OnnxModel model = plan.model();
    OpenFile modelFile = sources.file(model.path());
    String skeleton = Skeleton.sha256(model, modelFile);
    List<DataFileRecord> dataFiles = merge.dataFiles(sources);
    Provenance draft =
        merge.provenance(
            Merge.NO_HASH, new BaseRecord(Merge.NO_HASH, dataFiles), merge.draftTensors());
    ModelPatch patch = plan.patch(modelFile);
    patch.appendMetadata(merge.key(), draft.json().length);
    SequencedMap<String, FilePlan> whole = patch.plan(Map.of());
    List<Path> base = baseFiles();
    ThinLayout layout = new ThinLayout(whole, base, plan.tensors());
    SequencedSet<String> one = new LinkedHashSet<>(List.of(""));
    String name =
        DataFileNames.choose(one, main.path(), output, merge.contentHash(draft, modelFile))
            .firstEntry()
            .getValue();
    SequencedMap<Integer, FoldedTensor> witnesses = witnesses(base);
    ThinRecord record =
        new ThinRecord(
            ThinRecord.SCHEMA,
            base(sources, skeleton),
            layout.own(name),
            witnesses.entrySet().stream().map(w -> witness(w.getKey(), w.getValue())).toList(),
            layout.files());
    List<OpenFile> open = base.stream().map(sources::file).toList();
    ByteSource own = layout.draft(main.path().resolveSibling(name));
    ThinFiles files =
        new ThinFiles(
            main.path(),
            record,
            new ThinFiles.Sources(open, own, MemorySegment.ofArray(draft.json())));
    FilePlan thin = new ThinPatch(files, from -> location(from, name)).plan(record.json().length);
    FilePlan resolved = new PlanSlices(whole.lastEntry().getValue()).resolve(thin, main.path());
    return new Draft(layout, record, resolved, List.copyOf(witnesses.values()));
  }

  private String location(ByteSource from, String ownName) {
    return from instanceof OpenFile file ? place.location(file.path()) : ownName;
  }

  /** The base's files, the model first, each once. */
  private List<Path> baseFiles() {
    LinkedHashSet<Path> files = new LinkedHashSet<>(List.of(plan.model().path()));
    files.addAll(plan.model().dataFiles().values());
    return List.copyOf(files);
  }

  private BaseModel base(SourceFiles sources, String skeleton) {
    SequencedMap<Path, BaseFile> files = new LinkedHashMap<>();
    plan.model()
        .dataFiles()
        .forEach((name, path) ->
            files.putIfAbsent(
                path, new BaseFile(name, place.location(path), sources.file(path).size())));
    Path model = plan.model().path();
    return new BaseModel(
        place.location(model), sources.file(model).size(), skeleton, List.copyOf(files.values()));
  }

  /** Of each file the smallest tensor whose old bytes the fold reads, by the file's number. */
  private SequencedMap<Integer, FoldedTensor> witnesses(List<Path> base) {
    SequencedMap<Integer, FoldedTensor> smallest = new LinkedHashMap<>();
    for (FoldedTensor tensor : plan.tensors()) {
      Optional<TensorSource> source = tensor.base().flatMap(StoredTensor::source);
      if (source.isPresent() && source.get().length() > 0) {
        smallest.merge(
            base.indexOf(source.get().file()), tensor, (a, b) -> length(a) <= length(b) ? a : b);
      }
    }
    return smallest;
  }

  private static long length(FoldedTensor tensor) {
    return source(tensor).length();
  }

  private static TensorSource source(FoldedTensor tensor) {
    return tensor.base().flatMap(StoredTensor::source).orElseThrow();
  }

  private static Witness witness(int file, FoldedTensor tensor) {
    TensorSource source = source(tensor);
    return new Witness(file, source.offset(), source.length(), Merge.NO_HASH);
  }
}
