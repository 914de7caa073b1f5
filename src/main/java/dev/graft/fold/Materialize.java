package dev.graft.fold;

import dev.graft.fold.CarriedFiles.Carried;
import dev.graft.fold.Merge.Traffic;
import dev.graft.io.AtomicOutput;
import dev.graft.io.OutputGuard;
import dev.graft.io.Progress;
import dev.graft.io.Sha256;
import dev.graft.onnx.FilePlan;
import dev.graft.onnx.ModelPatch;
import dev.graft.onnx.OnnxModel;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.SequencedMap;

/**
 * Makes a thin model stand alone: the files that an ordinary merge into its base would have
 * written, byte for byte.
 */
public final class Materialize {

  private final ThinBase thin;
  private final Path output;
  private final Progress progress;

  /**
   * Prepares to write.
   *
   * @param thin the thin model, open until it is done
   * @param output where the model that stands alone is to appear; its data files go beside it
   * @param progress told of the bytes written
   */
  public Materialize(ThinBase thin, Path output, Progress progress) {
    this.thin = thin;
    this.output = output;
    this.progress = progress;
  }

  /**
   * What was written.
   *
   * @param output the model file and its data files
   * @param carried the config and tokenizer files that went along
   * @param bytes length of all model and data files together
   * @param traffic what was really moved for them
   * @param leftOver files of an older output that could not be deleted
   */
  public record Result(
      List<Path> output, Carried carried, long bytes, Traffic traffic, List<Path> leftOver) {}

  /**
   * Writes the model.
   *
   * @param threads how many threads copy
   * @throws dev.graft.error.GraftException if it cannot be done; then nothing has changed
   */
  public Result run(int threads) {
    OutputGuard.check(thin.inputs(), output);
    OnnxModel whole = thin.whole();
    UndoRecord.settle(output.toAbsolutePath());
    try (AtomicOutput out = AtomicOutput.begin(output);
        SourceFiles sources = new SourceFiles(whole);
        AdapterValues none = new AdapterValues()) {
      NewFiles files = new NewFiles(out, out.main());
      SequencedMap<String, FilePlan> plans =
          new ModelPatch(whole, sources.file(whole.path()))
              .plan(files.names(whole, this::contentHash));
      PlanWriter writer = new PlanWriter(sources, none, Recording.NONE, progress);
      files.add(plans, sources, writer);
      writer.alongside(() -> thin.requireOwn(Progress.NONE));
      writer.run(threads, TensorFolder.BLOCK_BYTES);
      Carried carried =
          files.complete(
              new CarriedFiles(thin.inputs().getFirst(), new ConfigSizes(List.of(), output)),
              OlderOutput.files(output, thin.inputs(), plans.sequencedKeySet()));
      List<Path> leftOver = out.commit();
      return new Result(
          files.paths(),
          carried,
          plans.values().stream().mapToLong(FilePlan::lengthBytes).sum(),
          new Traffic(thin.bytesRead(), files.bytesWritten()),
          leftOver);
    }
  }

  private String contentHash() {
    Sha256 hash = new Sha256();
    byte[] made = thin.provenance().toString().getBytes(StandardCharsets.UTF_8);
    hash.update(MemorySegment.ofArray(made));
    return hash.hex();
  }
}
