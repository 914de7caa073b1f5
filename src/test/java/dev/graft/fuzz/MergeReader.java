package dev.graft.fuzz;

import dev.graft.error.GraftException;
import dev.graft.fold.FoldCheck;
import dev.graft.fold.Merge;
import dev.graft.fold.MergePlan;
import dev.graft.fold.MergeRequest;
import dev.graft.io.Progress;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;

/**
 * Folds the input's adapter into its model. What comes out must hold what it should, a refusal must
 * leave nothing behind, and the inputs must stay as they are.
 */
final class MergeReader implements Reader {

  private static final byte[] DATA = new byte[4096];
  private static final long MOST_DATA = 1 << 20;

  private final ScratchFile model;
  private final ScratchFile config;
  private final ScratchFile weights;
  private final Path data;
  private final Path adapter;
  private final Path out;
  private byte[] modelBytes = new byte[0];

  MergeReader(Path folder) throws IOException {
    Path base = Files.createDirectories(folder.resolve("base"));
    this.adapter = Files.createDirectories(folder.resolve("adapter"));
    this.out = Files.createDirectories(folder.resolve("out"));
    this.model = new ScratchFile(base.resolve("model.onnx"));
    this.data = Files.write(base.resolve("w.bin"), DATA);
    this.config = new ScratchFile(adapter.resolve("adapter_config.json"));
    this.weights = new ScratchFile(adapter.resolve("adapter_model.safetensors"));
  }

  @Override
  public void lay(byte[] input) throws IOException {
    for (Path file : written()) {
      Files.delete(file);
    }
    MergeInput merge = MergeInput.parse(input);
    modelBytes = merge.model();
    model.fill(modelBytes);
    AdapterInput parts = AdapterInput.parse(merge.adapter());
    config.fill(parts.config().getBytes(StandardCharsets.UTF_8));
    AdapterInput.Header header = parts.header();
    byte[] json = header.json().getBytes(StandardCharsets.UTF_8);
    byte[] head = SafetensorsMutator.file(json.length, json, 0);
    weights.fill(head, head.length + Math.min(header.dataBytes(), MOST_DATA));
  }

  @Override
  public int read() {
    Path output = out.resolve("merged.onnx");
    try {
      MergePlan plan = MergePlan.of(MergeRequest.of(model.path(), adapter, output));
      new Merge(plan, "graft test", Progress.NONE).run(1);
      // Tensors of attributes are told apart by their node's output, which a new node may take
      // over.
      if (plan.graphChanges().isEmpty()) {
        check(new FoldCheck(plan, output, Progress.NONE).run().differences());
      }
      return plan.binding().bound().size();
    } catch (GraftException refused) {
      if (!Files.exists(output) && !written().isEmpty()) {
        throw new AssertionError("refused, but " + written() + " was left behind", refused);
      }
      throw refused;
    } finally {
      checkInputs();
    }
  }

  private static void check(List<?> differences) {
    if (!differences.isEmpty()) {
      throw new AssertionError("the output is not what was planned: " + differences);
    }
  }

  private void checkInputs() {
    try {
      if (!Arrays.equals(Files.readAllBytes(model.path()), modelBytes)
          || !Arrays.equals(Files.readAllBytes(data), DATA)) {
        throw new AssertionError("the base was changed");
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private List<Path> written() {
    try (Stream<Path> files = Files.list(out)) {
      return files.toList();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Override
  public void close() throws IOException {
    model.close();
    config.close();
    weights.close();
  }
}
