package dev.graft.fuzz;

import dev.graft.adapter.AdapterConfig;
import dev.graft.adapter.PeftAdapter;
import dev.graft.error.GraftException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** Opens the input as an adapter, and asks its patterns for every module that it names. */
final class AdapterReader implements Reader {

  /** As large as a file without blocks may grow. */
  private static final long MOST_DATA = 1L << 40;

  private static final int MOST_ASKED = 8;

  private final ScratchFile config;
  private final ScratchFile weights;
  private final Plain plain;
  private final Plain sharded;
  private boolean isSharded;
  private List<String> names = List.of();

  /** A folder with links to the files above, as {@code huggingface_hub} makes them. */
  private record Plain(Path folder) {}

  AdapterReader(Path folder) throws IOException {
    this.config = new ScratchFile(folder.resolve("config"));
    this.weights = new ScratchFile(folder.resolve("weights"));
    this.plain = new Plain(Files.createDirectories(folder.resolve("plain")));
    this.sharded = new Plain(Files.createDirectories(folder.resolve("sharded")));
    for (Plain each : List.of(plain, sharded)) {
      link(each, "adapter_config.json", config);
    }
    link(plain, "adapter_model.safetensors", weights);
    link(sharded, "a.safetensors", weights);
    link(sharded, "b.safetensors", weights);
  }

  private static void link(Plain folder, String name, ScratchFile to) throws IOException {
    Files.createSymbolicLink(folder.folder().resolve(name), to.path().toAbsolutePath());
  }

  @Override
  public void lay(byte[] input) throws IOException {
    AdapterInput adapter = AdapterInput.parse(input);
    config.fill(adapter.config().getBytes(StandardCharsets.UTF_8));
    AdapterInput.Header header = adapter.header();
    byte[] json = header.json().getBytes(StandardCharsets.UTF_8);
    byte[] head = SafetensorsMutator.file(json.length, json, 0);
    weights.fill(head, head.length + Math.min(header.dataBytes(), MOST_DATA));
    isSharded = !adapter.index().isEmpty();
    if (isSharded) {
      Files.writeString(
          sharded.folder().resolve("adapter_model.safetensors.index.json"), adapter.index());
    }
    names = adapter.names();
  }

  @Override
  public int read() {
    try {
      PeftAdapter adapter = PeftAdapter.open(isSharded ? sharded.folder() : plain.folder());
      return 1000 * Math.min(adapter.targets().size(), 20)
          + 30 * Math.min(adapter.warnings().size(), 20)
          + Math.min(adapter.refusals().size(), 20);
    } catch (GraftException refused) {
      // The configuration is read without the tensors too, by whoever only looks at it.
      ask(AdapterConfig.read(config.path()));
      throw refused;
    }
  }

  private void ask(AdapterConfig read) {
    names.stream().limit(MOST_ASKED).forEach(read::scaling);
    read.knownFields();
    read.targetModules();
    read.targetParameters();
    read.modulesToSave();
  }

  @Override
  public void close() throws IOException {
    config.close();
    weights.close();
  }
}
