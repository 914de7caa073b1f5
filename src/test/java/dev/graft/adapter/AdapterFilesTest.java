package dev.graft.adapter;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.graft.error.FormatException;
import dev.graft.error.UnsupportedException;
import dev.graft.safetensors.SafetensorsBytes;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;

class AdapterFilesTest extends AdapterFixture {

  @Test
  void refusesPicklesAndSaysHowToConvert() throws IOException {
    Path adapter = config("");
    Path pickle = Files.writeString(folder.resolve("adapter_model.bin"), "pickle");

    for (Path given : List.of(adapter, pickle)) {
      assertThatThrownBy(() -> PeftAdapter.open(given))
          .isInstanceOf(UnsupportedException.class)
          .hasMessageContaining("adapter_model.bin: is a Python pickle, which can run any code")
          .hasMessageContaining("safe_serialization=True")
          .hasMessageContaining("weights_only=True");
    }
  }

  @Test
  void saysWhatIsMissing() throws IOException {
    assertThatThrownBy(() -> PeftAdapter.open(folder.resolve("none")))
        .isInstanceOf(FormatException.class)
        .hasMessageContaining(
            "none: no such file or folder; a PEFT adapter is a folder with adapter_config.json");
    assertThatThrownBy(() -> PeftAdapter.open(folder))
        .isInstanceOf(FormatException.class)
        .hasMessageContaining("holds neither adapter_config.json nor adapter_model.safetensors");
    Path weights =
        SafetensorsBytes.write(
            folder.resolve("adapter_model.safetensors"), SafetensorsBytes.float32());
    assertThatThrownBy(() -> PeftAdapter.open(folder))
        .isInstanceOf(FormatException.class)
        .hasMessageContaining("adapter_model.safetensors but no adapter_config.json");
    assertThatThrownBy(() -> PeftAdapter.open(weights))
        .isInstanceOf(FormatException.class)
        .hasMessageContaining("it must lie beside adapter_model.safetensors");
    config("");
    Files.delete(weights);
    assertThatThrownBy(() -> PeftAdapter.open(folder))
        .isInstanceOf(FormatException.class)
        .hasMessageContaining("holds adapter_config.json but no adapter_model.safetensors");
    assertThatThrownBy(() -> PeftAdapter.open(folder.resolve("adapter_config.json")))
        .isInstanceOf(FormatException.class)
        .hasMessageContaining("is no adapter");
  }

  @Test
  void refusesWeightsWithoutAConfigurationThoughASubFolderHoldsAnAdapter() throws IOException {
    SafetensorsBytes.write(
        folder.resolve("adapter_model.safetensors"), SafetensorsBytes.float32("x [1]"));
    Files.createDirectory(folder.resolve("style"));
    Files.writeString(folder.resolve("style/adapter_config.json"), "{}");

    assertThatThrownBy(() -> PeftAdapter.open(folder))
        .isInstanceOf(FormatException.class)
        .hasMessageContaining("name one of them:\n  " + folder.resolve("style"));
  }

  @Test
  void takesTheOnlyAdapterInASubFolderAndSaysSo() throws IOException {
    adapter("", M + "q.lora_A.weight [2,3]", M + "q.lora_B.weight [4,2]");
    Path style = Files.createDirectory(folder.resolve("style"));
    Files.createDirectory(folder.resolve("other"));
    for (String name : List.of("adapter_config.json", "adapter_model.safetensors")) {
      Files.move(folder.resolve(name), style.resolve(name));
    }

    PeftAdapter found = PeftAdapter.open(folder);

    assertThat(found.name()).isEqualTo("style");
    assertThat(found.targets()).hasSize(1);
    assertThat(found.warnings())
        .singleElement()
        .asString()
        .contains(folder + " holds no adapter itself; the only one in it is taken: " + style);
    assertThat(PeftAdapter.open(style).warnings()).isEmpty();
  }

  @Test
  void listsTheAdaptersInSubFolders() throws IOException {
    for (String name : List.of("b", "a", "empty")) {
      Files.createDirectory(folder.resolve(name));
    }
    Files.writeString(folder.resolve("a/adapter_config.json"), "{}");
    Files.writeString(folder.resolve("b/adapter_config.json"), "{}");

    assertThatThrownBy(() -> PeftAdapter.open(folder))
        .isInstanceOf(FormatException.class)
        .hasMessageContaining(
            "name one of them:\n  " + folder.resolve("a") + "\n  " + folder.resolve("b"))
        .hasMessageNotContaining("empty");
  }

  @Test
  void opensFoldersCheckpointsAndFilesAlike() throws IOException {
    Path checkpoint = Files.createDirectory(folder.resolve("checkpoint-8"));
    for (String file : List.of("adapter_config.json", "adapter_model.safetensors")) {
      Files.copy(golden("llama-ts-plain").resolve(file), checkpoint.resolve(file));
    }
    PeftAdapter byFolder = PeftAdapter.open(checkpoint);
    PeftAdapter byFile = PeftAdapter.open(checkpoint.resolve("adapter_model.safetensors"));

    assertThat(byFolder.name()).isEqualTo("checkpoint-8").isEqualTo(byFile.name());
    assertThat(byFolder.sha256()).isEqualTo(byFile.sha256());
    assertThat(byFolder.files()).hasSize(2);
    assertThat(PeftAdapter.open(checkpoint.resolve("../checkpoint-8/.")).name())
        .isEqualTo("checkpoint-8");
  }

  @Test
  void opensShardedAdapters() throws IOException {
    SafetensorsBytes.write(
        folder.resolve("w-1.safetensors"), SafetensorsBytes.float32(M + "q.lora_A.weight [2,3]"));
    SafetensorsBytes.write(
        folder.resolve("w-2.safetensors"), SafetensorsBytes.float32(M + "q.lora_B.weight [5,2]"));
    Files.writeString(
        folder.resolve("adapter_model.safetensors.index.json"),
        "{\"weight_map\": {\"%1$sq.lora_A.weight\": \"w-1.safetensors\", \"%1$sq.lora_B.weight\": \"w-2.safetensors\"}}"
            .formatted(M));
    PeftAdapter adapter = PeftAdapter.open(config(""));

    assertThat(pair(adapter, "m.q").scale()).isEqualTo(2);
    assertThat(adapter.files()).hasSize(4);
    assertThat(adapter.sha256()).hasSize(64);
    SafetensorsBytes.write(folder.resolve("adapter_model.safetensors"), SafetensorsBytes.float32());
    assertThatThrownBy(() -> PeftAdapter.open(folder))
        .isInstanceOf(FormatException.class)
        .hasMessageContaining("keep the one that is meant");
  }
}
