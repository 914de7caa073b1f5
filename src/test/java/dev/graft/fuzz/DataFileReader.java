package dev.graft.fuzz;

import dev.graft.io.OpenFile;
import dev.graft.onnx.OnnxModel;
import dev.graft.onnx.StoredTensor;
import dev.graft.tensor.TensorSource;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;

/**
 * Opens a model whose folder is full of traps: links out of it, hard links, loops, folders and
 * files with odd names. Every data file that is accepted is opened and read; nothing from outside
 * may come out.
 */
final class DataFileReader implements Reader {

  /** Files that a model may name. */
  private static final String[] PLAIN = {
    "w.bin",
    "W.bin",
    "sub/w.bin",
    "sub/deep/w.bin",
    "model.onnx.data",
    "a b.bin",
    "\u00e9.bin",
    "e\u0301.bin",
    "-",
    "~",
    "a\nb",
    "w.bin ",
    "w.bin.",
    "CON",
    "..w",
    "...",
    "'",
    "x;y"
  };

  private static final int BYTES = 64;
  private static final byte[] SECRET = Outside.SECRET.getBytes(StandardCharsets.UTF_8);

  private final Path folder;
  private final ScratchFile file;

  DataFileReader(Path folder) throws IOException {
    this.folder = folder.toRealPath();
    this.file = new ScratchFile(this.folder.resolve("model.onnx"));
    for (String name : PLAIN) {
      Path path = this.folder.resolve(name);
      Files.createDirectories(path.getParent());
      Files.write(path, new byte[BYTES]);
    }
    Files.write(this.folder.resolve("empty.bin"), new byte[0]);
    Files.write(this.folder.resolve("x".repeat(255)), new byte[BYTES]);
    traps();
  }

  private void traps() throws IOException {
    link("out.bin", "../secret.bin");
    link("absolute.bin", folder.resolveSibling("secret.bin").toString());
    link("outer", "../outer");
    link("up", "..");
    link("here", ".");
    link("loop", "loop");
    link("nowhere.bin", "nothing");
    link("linked.bin", "w.bin");
    Files.createLink(folder.resolve("hard.bin"), folder.resolveSibling("secret.bin"));
  }

  private void link(String name, String to) throws IOException {
    Files.createSymbolicLink(folder.resolve(name), Path.of(to));
  }

  @Override
  public void lay(byte[] input) throws IOException {
    file.fill(input);
  }

  @Override
  public int read() {
    OnnxModel model = OnnxModel.open(file.path());
    model.dataFiles().values().forEach(this::check);
    int read = 0;
    for (StoredTensor tensor : model.tensors()) {
      if (tensor.storage() == StoredTensor.Storage.EXTERNAL) {
        read(model, tensor.source().orElseThrow());
        read++;
      }
    }
    return 100 * Math.min(20, model.dataFiles().size()) + Math.min(20, read);
  }

  private void check(Path path) {
    try {
      if (!path.startsWith(folder)
          || !path.toRealPath().equals(path)
          || path.equals(folder.resolve("hard.bin"))) {
        throw new AssertionError(path + " is not among the files that a model may name");
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static void read(OnnxModel model, TensorSource source) {
    byte[] bytes = new byte[Math.toIntExact(source.length())];
    try (OpenFile data = model.openSource(source.file())) {
      data.readFully(MemorySegment.ofArray(bytes), source.offset());
    }
    for (int i = 0; i + SECRET.length <= bytes.length; i++) {
      if (Arrays.equals(bytes, i, i + SECRET.length, SECRET, 0, SECRET.length)) {
        throw new AssertionError("what lies outside was read by way of " + source);
      }
    }
  }

  @Override
  public void close() throws IOException {
    file.close();
  }
}
