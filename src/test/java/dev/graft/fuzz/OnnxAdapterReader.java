package dev.graft.fuzz;

import dev.graft.onnxadapter.OnnxAdapterFile;
import java.io.IOException;
import java.nio.file.Path;

/** Opens the input as an .onnx_adapter file and sees that its tensors lie in it. */
final class OnnxAdapterReader implements Reader {

  private final ScratchFile file;
  private long size;

  OnnxAdapterReader(Path folder) throws IOException {
    this.file = new ScratchFile(folder.resolve("a.onnx_adapter"));
  }

  @Override
  public void lay(byte[] input) throws IOException {
    file.fill(input);
    size = input.length;
  }

  @Override
  public int read() {
    OnnxAdapterFile opened = OnnxAdapterFile.open(file.path());
    for (OnnxAdapterFile.Stored stored : opened.parameters()) {
      if (stored.source().end() > size
          || stored.source().length() != stored.parameter().lengthBytes()) {
        throw new AssertionError("tensor " + stored + " lies outside the file");
      }
    }
    if (opened.valueBytes() > size) {
      throw new AssertionError("tensors take " + opened.valueBytes() + " of " + size + " bytes");
    }
    return 100 * Math.min(opened.parameters().size(), 20)
        + opened.parameters().stream().mapToInt(p -> p.parameter().shape().rank()).sum() % 100;
  }

  @Override
  public void close() throws IOException {
    file.close();
  }
}
