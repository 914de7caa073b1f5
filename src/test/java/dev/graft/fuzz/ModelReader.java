package dev.graft.fuzz;

import dev.graft.graph.ModelGraph;
import dev.graft.match.SiteIndex;
import dev.graft.onnx.OnnxModel;
import dev.graft.onnx.StoredTensor;
import dev.graft.tensor.TensorSource;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** Opens the input as a model, indexes its graph and looks for the places to fold into. */
final class ModelReader implements Reader {

  private static final int DATA_BYTES = 4096;

  private final ScratchFile file;
  private final Path data;
  private long size;

  ModelReader(Path folder) throws IOException {
    this.file = new ScratchFile(folder.resolve("model.onnx"));
    this.data = Files.write(folder.resolve("w.bin"), new byte[DATA_BYTES]).toRealPath();
  }

  @Override
  public void lay(byte[] input) throws IOException {
    file.fill(input);
    size = input.length;
  }

  @Override
  public int read() {
    OnnxModel model = OnnxModel.open(file.path());
    for (StoredTensor tensor : model.tensors()) {
      tensor.source().ifPresent(this::check);
      if (tensor.span().bodyStart() < 0 || tensor.span().bodyEnd() > size) {
        throw new AssertionError("tensor '" + tensor.label() + "' stands outside the file");
      }
    }
    SiteIndex sites = SiteIndex.of(ModelGraph.of(model));
    return 10_000 * Math.min(model.tensors().size(), 20)
        + 100 * Math.min(sites.sites().size(), 20)
        + Math.min(sites.graph().scopes().size(), 20);
  }

  private void check(TensorSource source) {
    long length = source.file().equals(file.path()) ? size : DATA_BYTES;
    if (source.end() > length
        || !(source.file().equals(file.path()) || source.file().equals(data))) {
      throw new AssertionError("no tensor may lie in " + source);
    }
  }

  @Override
  public void close() throws IOException {
    file.close();
  }
}
