package dev.graft.adapter;

import dev.graft.safetensors.SafetensorsBytes;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.io.TempDir;

/** Makes small adapters in a folder of their own. */
abstract class AdapterFixture {

  /** What PEFT and a model's root module put before every key. */
  static final String M = "base_model.model.m.";

  @TempDir Path folder;

  /** An adapter of F32 tensors, each spec {@code name [dims]}; r is 2, alpha 4. */
  Path adapter(String fields, String... specs) throws IOException {
    SafetensorsBytes.write(
        folder.resolve("adapter_model.safetensors"), SafetensorsBytes.float32(specs));
    return config(fields);
  }

  Path config(String fields) throws IOException {
    Files.writeString(
        folder.resolve("adapter_config.json"),
        "{\"peft_type\": \"LORA\", \"r\": 2, \"lora_alpha\": 4"
            + (fields.isEmpty() ? "" : ", " + fields)
            + "}");
    return folder;
  }

  static Path golden(String name) {
    return Path.of("testdata/cases", name, "adapter");
  }

  static <T extends AdapterTarget> List<T> only(PeftAdapter adapter, Class<T> type) {
    return adapter.targets().stream().filter(type::isInstance).map(type::cast).toList();
  }

  static LoraPair pair(PeftAdapter adapter, String module) {
    return only(adapter, LoraPair.class).stream()
        .filter(p -> p.module().equals(module))
        .findFirst()
        .orElseThrow();
  }
}
