package dev.graft.adapter;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.graft.error.FormatException;
import dev.graft.error.UnsupportedException;
import dev.graft.safetensors.SafetensorsWriter;
import dev.graft.tensor.Shape;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.HexFormat;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class PeftAdapterTest extends AdapterFixture {

  @ParameterizedTest
  @ValueSource(strings = {"LOKR", "PROMPT_TUNING", "SOMETHING"})
  void refusesOtherTypesBeforeItLooksAtTensors(String type) throws IOException {
    adapter("", "whatever [1]");
    Files.writeString(folder.resolve("adapter_config.json"), "{\"peft_type\": \"" + type + "\"}");

    assertThatThrownBy(() -> PeftAdapter.open(folder))
        .isInstanceOf(UnsupportedException.class)
        .hasMessageContaining(type);
  }

  @Test
  void opensWhatCannotBeFoldedButRefusesToFoldIt() throws IOException {
    PeftAdapter adapter =
        PeftAdapter.open(
            adapter(
                "\"kasa_config\": {\"beta\": 1}, \"init_lora_weights\": \"pissa\"",
                M + "q.lora_A.weight [2,3]",
                M + "q.lora_B.weight [5,2]",
                M + "q.lora_diag [2]"));

    assertThat(adapter.refusals()).hasSize(2);
    assertThat(adapter.warnings()).anyMatch(w -> w.contains("lora_diag"));
    assertThatThrownBy(adapter::requireFoldable)
        .isInstanceOf(UnsupportedException.class)
        .hasMessageContaining("kasa_config")
        .hasMessageContaining("init_lora_weights is 'pissa'");
  }

  @Test
  void findsValuesThatAreNotFinite() throws IOException {
    float[] b = new float[10];
    b[7] = Float.NaN;
    new SafetensorsWriter()
        .add(M + "q.lora_A.weight", Shape.of(2, 3), new float[6])
        .add(M + "q.lora_B.weight", Shape.of(5, 2), b)
        .write(folder.resolve("adapter_model.safetensors"));
    PeftAdapter adapter = PeftAdapter.open(config(""));

    assertThatThrownBy(adapter::requireFinite)
        .isInstanceOf(FormatException.class)
        .hasMessageContaining("q.lora_B.weight\" [5, 2] holds NaN or infinity, first at element 7");
    PeftAdapter.open(golden("llama-ts-plain")).requireFinite();
  }

  @Test
  void hashesWeightsThenConfiguration() throws Exception {
    Path adapter = golden("llama-ts-plain");
    MessageDigest digest = MessageDigest.getInstance("SHA-256");
    digest.update(Files.readAllBytes(adapter.resolve("adapter_model.safetensors")));
    digest.update(Files.readAllBytes(adapter.resolve("adapter_config.json")));

    assertThat(PeftAdapter.open(adapter).sha256())
        .isEqualTo(HexFormat.of().formatHex(digest.digest()));
  }

  @Test
  void passesOnWhatTheConfigurationAloneHasToSay() throws IOException {
    PeftAdapter adapter =
        PeftAdapter.open(
            adapter(
                "\"future\": 1, \"loftq_config\": {\"loftq_bits\": 4}, \"monteclora_config\": {}",
                M + "q.lora_A.weight [2,3]",
                M + "q.lora_B.weight [5,2]"));

    assertThat(adapter.warnings())
        .hasSize(3)
        .anyMatch(w -> w.contains("\"future\""))
        .anyMatch(w -> w.contains("loftq_config"))
        .anyMatch(w -> w.contains("monteclora_config"));
  }
}
