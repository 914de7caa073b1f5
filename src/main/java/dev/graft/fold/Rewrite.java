package dev.graft.fold;

import dev.graft.adapter.PeftAdapter;
import dev.graft.fold.CarriedFiles.Carried;
import dev.graft.fold.FoldedTensor.Form;
import dev.graft.fold.FoldedTensor.Part;
import dev.graft.fold.TensorPlanner.Home;
import dev.graft.fold.TensorPlanner.Move;
import dev.graft.graph.ModelGraph;
import dev.graft.io.AtomicOutput;
import dev.graft.io.OpenFile;
import dev.graft.io.Progress;
import dev.graft.io.Sha256;
import dev.graft.match.Binding;
import dev.graft.match.BoundTarget;
import dev.graft.match.OutputRange;
import dev.graft.match.SizeTrace;
import dev.graft.match.Turn;
import dev.graft.onnx.FilePlan;
import dev.graft.onnx.GraphEdit;
import dev.graft.onnx.ModelPatch;
import dev.graft.onnx.NewTensor;
import dev.graft.onnx.OnnxModel;
import dev.graft.onnx.Skeleton;
import dev.graft.safetensors.SafetensorsTensor;
import dev.graft.tensor.Shape;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.SequencedMap;
import java.util.function.Supplier;

/**
 * A base in which some of an adapter's targets take their new values as in a merge, while the graph
 * changes in other ways as well. What is written is complete or not there at all.
 */
public final class Rewrite {

  private final OnnxModel model;
  private final PeftAdapter adapter;
  private final List<Move> moves;
  private final List<GraphEdit> edits;
  private final List<NewSize> newSizes;

  private Rewrite(ModelGraph graph, PeftAdapter adapter, Binding folded) {
    this.model = graph.model();
    this.adapter = adapter;
    this.moves = new TensorPlanner(graph, 1).plan(folded.bound());
    this.edits = MergeEdits.of(graph, moves, SizeTrace.of(graph, folded.bound()));
    this.newSizes = NewSize.of(List.of(folded), adapter.config());
  }

  /**
   * Thinks through what some targets change, as a merge of nothing but them.
   *
   * @param graph the base
   * @param adapter where the values are
   * @param folded the targets, all of them bound
   * @throws dev.graft.error.GraftException if it cannot be done
   */
  public static Rewrite of(ModelGraph graph, PeftAdapter adapter, Binding folded) {
    return new Rewrite(graph, adapter, folded);
  }

  /** The names that the tensors of a folded target have in the output. */
  public List<String> initializers(BoundTarget target) {
    List<Home.Key> homes = Home.all(target).stream().map(Home::key).toList();
    return moves.stream()
        .filter(move -> homes.contains(move.home().key()))
        .map(move -> move.tensor().outputName())
        .toList();
  }

  /** What the folded targets change in the graph itself; empty as a rule. */
  public List<GraphEdit> edits() {
    return edits;
  }

  /**
   * A new tensor with the values of one of the adapter's, bit for bit.
   *
   * @param name its name in the graph
   * @param value the adapter's tensor
   * @param shape what it is in the graph, with as many values
   * @param turn whether a matrix goes in the other way round
   */
  public static NewTensor tensor(String name, SafetensorsTensor value, Shape shape, Turn turn) {
    Part part = new Part(name, new Change.Whole(value, OutputRange.ALL, turn), Region.ALL);
    return FoldedTensor.missing(new Form(name, value.dtype(), shape), List.of(part)).as(name);
  }

  /**
   * What to write.
   *
   * @param edits all changes of the graph, those of the folded targets among them
   * @param record what the model says of its making, as JSON
   * @param key the metadata entry that the record goes to
   */
  public record Draft(List<GraphEdit> edits, String key, String record) {

    /** Keeps an own copy. */
    public Draft {
      edits = List.copyOf(edits);
    }
  }

  /**
   * Where to write, and how.
   *
   * @param path the model file
   * @param threads how many threads fold and copy; the bytes do not depend on it
   * @param progress told of the bytes written
   */
  public record Output(Path path, int threads, Progress progress) {}

  /**
   * What was written.
   *
   * @param files the model file and its data files
   * @param carried the config and tokenizer files that went along
   * @param bytes length of all model and data files together
   * @param leftOver files of an older output that could not be deleted
   */
  public record Written(List<Path> files, Carried carried, long bytes, List<Path> leftOver) {

    /** Keeps own copies. */
    public Written {
      files = List.copyOf(files);
      leftOver = List.copyOf(leftOver);
    }
  }

  /**
   * Writes the output.
   *
   * @throws dev.graft.error.GraftException if it cannot be done; then nothing has changed
   */
  public Written write(Draft draft, Output to) {
    UndoRecord.settle(to.path().toAbsolutePath());
    try (AtomicOutput output = AtomicOutput.begin(to.path());
        SourceFiles sources = new SourceFiles(model);
        AdapterValues values = new AdapterValues()) {
      PlanWriter writer = new PlanWriter(sources, values, Recording.NONE, to.progress());
      SequencedMap<String, FilePlan> files = plan(draft, output, sources);
      NewFiles written = new NewFiles(output, output.main());
      written.add(files, sources, writer);
      writer.run(to.threads(), TensorFolder.BLOCK_BYTES);
      writer.fill(List.of(draft.record().getBytes(StandardCharsets.UTF_8)));
      Carried carried =
          written.complete(
              new CarriedFiles(model.path(), new ConfigSizes(newSizes, adapter.path())),
              OlderOutput.files(to.path(), inputs(), files.sequencedKeySet()));
      long bytes = files.values().stream().mapToLong(FilePlan::lengthBytes).sum();
      return new Written(written.paths(), carried, bytes, output.commit());
    }
  }

  /** Every file that is read. */
  public List<Path> inputs() {
    List<Path> inputs = new ArrayList<>();
    inputs.add(model.path());
    inputs.addAll(model.dataFiles().values());
    inputs.addAll(adapter.files());
    return List.copyOf(inputs);
  }

  private SequencedMap<String, FilePlan> plan(
      Draft draft, AtomicOutput output, SourceFiles sources) {
    OpenFile modelFile = sources.file(model.path());
    ModelPatch patch = new ModelPatch(model, modelFile);
    for (Move move : moves) {
      FoldedTensor tensor = move.tensor();
      if (!tensor.isAdded()) {
        tensor.start().ifPresent(stored -> patch.replaceValues(stored, tensor));
      }
    }
    draft.edits().forEach(patch::apply);
    byte[] record = draft.record().getBytes(StandardCharsets.UTF_8);
    patch.appendMetadata(draft.key(), record.length);
    Supplier<String> hash =
        () -> {
          Sha256 all = new Sha256();
          all.update(MemorySegment.ofArray(record));
          all.update(
              MemorySegment.ofArray(
                  Skeleton.sha256(model, modelFile).getBytes(StandardCharsets.US_ASCII)));
          return all.hex();
        };
    return patch.plan(
        DataFileNames.choose(
            model.dataFiles().sequencedKeySet(), output.main().path(), output, hash));
  }
}
