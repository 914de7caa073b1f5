package dev.graft.fuzz;

import dev.graft.safetensors.SafetensorsFile;
import dev.graft.safetensors.SafetensorsTensor;
import java.io.IOException;
import java.nio.file.Path;

/** Opens the input as a safetensors file and sees that its tensors lie in it. */
final class SafetensorsReader implements Reader {

  private final ScratchFile file;
  private long size;

  SafetensorsReader(Path folder) throws IOException {
    this.file = new ScratchFile(folder.resolve("w.safetensors"));
  }

  @Override
  public void lay(byte[] input) throws IOException {
    file.fill(input);
    size = input.length;
  }

  @Override
  public int read() {
    SafetensorsFile opened = SafetensorsFile.open(file.path());
    long bytes = 0;
    for (SafetensorsTensor tensor : opened.tensors().values()) {
      bytes += tensor.source().length();
      if (tensor.source().offset() < 10 || tensor.source().end() > size) {
        throw new AssertionError("tensor " + tensor + " lies outside the file");
      }
    }
    if (bytes > size) {
      throw new AssertionError("tensors take " + bytes + " of " + size + " bytes");
    }
    return 100 * Math.min(opened.tensors().size(), 20) + Math.min(opened.metadata().size(), 20);
  }

  @Override
  public void close() throws IOException {
    file.close();
  }
}
