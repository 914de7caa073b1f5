package dev.graft.train;

import dev.graft.adapter.AdapterConfig;
import dev.graft.adapter.AdapterTarget;
import dev.graft.adapter.BaseCopy;
import dev.graft.adapter.PeftAdapter;
import dev.graft.error.FormatException;
import dev.graft.io.AtomicOutput;
import dev.graft.safetensors.SafetensorsTensor;
import dev.graft.safetensors.SafetensorsWriter;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import tools.jackson.core.type.TypeReference;
import tools.jackson.databind.json.JsonMapper;

/** Writes the folder that PEFT and the Trainer read. */
final class AdapterFolder {

  private static final String CONFIG = "adapter_config.json";
  private static final String CARD = "README.md";
  static final String WEIGHTS = "adapter_model.safetensors";

  /** All that is written into a folder. */
  static final List<String> FILES = List.of(CONFIG, WEIGHTS, CARD, TrainerState.FILE);

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

  /**
   * The dropout that an adapter was configured with.
   *
   * @throws FormatException if it is no part of a whole
   */
  static double dropout(AdapterConfig config) {
    double dropout = Double.parseDouble(config.knownFields().getOrDefault("lora_dropout", "0"));
    if (!(dropout >= 0 && dropout < 1)) {
      throw new FormatException(
          "%s: lora_dropout is %s, expected 0 or more and less than 1"
              .formatted(config.path(), dropout));
    }
    return dropout;
  }

  /**
   * Writes the folder's files; if the weights cannot be written, there are no others either.
   *
   * @param card the model card
   * @param state what the Trainer says about a run
   */
  void write(Path folder, List<Trained> trained, String card, Map<String, Object> state) {
    try (AtomicOutput output = AtomicOutput.begin(folder.resolve(CONFIG))) {
      TextFile.write(output.main(), TextFile.json(config));
      TextFile.write(output.addMain(folder.resolve(CARD)), card);
      TextFile.write(output.addMain(folder.resolve(TrainerState.FILE)), TextFile.json(state));
      weights(trained).write(folder.resolve(WEIGHTS));
      output.commit();
    }
  }

  private SafetensorsWriter weights(List<Trained> trained) {
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
    return writer;
  }
}
