package dev.graft.train;

import dev.graft.adapter.AdapterConfig;
import dev.graft.adapter.AdapterTarget;
import dev.graft.adapter.BaseCopy;
import dev.graft.adapter.PeftAdapter;
import dev.graft.error.FormatException;
import dev.graft.safetensors.SafetensorsTensor;
import dev.graft.safetensors.SafetensorsWriter;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;
import tools.jackson.core.type.TypeReference;
import tools.jackson.databind.json.JsonMapper;

/** Writes the folder that PEFT reads: configuration, weights and a model card. */
final class AdapterFolder {

  private static final String CONFIG = "adapter_config.json";
  static final String WEIGHTS = "adapter_model.safetensors";

  private final PeftAdapter start;
  private final SortedMap<String, Object> config;

  /**
   * Prepares to write.
   *
   * @param start the adapter that training began from
   * @param dropout the dropout of the run
   */
  AdapterFolder(PeftAdapter start, double dropout) {
    this.start = start;
    this.config = read(start.config().path());
    config.put("lora_dropout", dropout);
    config.put("inference_mode", true);
  }

  private static SortedMap<String, Object> read(Path file) {
    try {
      String json = Files.readString(file, StandardCharsets.UTF_8);
      return new TreeMap<>(
          JsonMapper.shared().readValue(json, new TypeReference<TreeMap<String, Object>>() {}));
    } catch (IOException e) {
      throw new FormatException(file + ": cannot be read: " + e.getMessage(), e);
    }
  }

  /** The dropout that an adapter was configured with. */
  static double dropout(AdapterConfig config) {
    String text = config.knownFields().getOrDefault("lora_dropout", "0");
    return Double.parseDouble(text);
  }

  /** Writes the folder's files; the weights come last. */
  void write(Path folder, List<Trained> trained, String card) {
    TextFile.writeJson(folder.resolve(CONFIG), config);
    TextFile.write(folder.resolve("README.md"), card);
    SafetensorsWriter writer = new SafetensorsWriter().metadata("format", "pt");
    for (Trained tensor : trained) {
      SafetensorsTensor source = tensor.source();
      writer.add(source.name(), source.shape(), tensor.asSaved(tensor.parameter().values()));
    }
    for (AdapterTarget target : start.targets()) {
      if (target instanceof BaseCopy) {
        target.tensors().forEach(tensor -> writer.addCopy(tensor.name(), tensor));
      }
    }
    writer.write(folder.resolve(WEIGHTS));
  }
}
