package dev.graft.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.graft.adapter.AdapterConfig;
import dev.graft.adapter.PeftAdapter;
import dev.graft.error.FormatException;
import dev.graft.error.UsageException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class AdapterFolderTest {

  private static final PeftAdapter START =
      PeftAdapter.open(Path.of("testdata/cases/llama-ts-plain/adapter"));

  @TempDir Path folder;

  @ParameterizedTest
  @ValueSource(strings = {"1", "1.5", "-0.1"})
  void refusesADropoutThatIsNoPart(String dropout) throws IOException {
    AdapterConfig config = config(dropout);
    assertThatThrownBy(() -> AdapterFolder.dropout(config))
        .isInstanceOf(FormatException.class)
        .hasMessageContaining("adapter_config.json: lora_dropout is " + Double.valueOf(dropout));
  }

  @Test
  void takesTheDropoutOfTheConfiguration() throws IOException {
    assertThat(AdapterFolder.dropout(config("0.25"))).isEqualTo(0.25);
    assertThat(AdapterFolder.dropout(config("null"))).isZero();
  }

  private AdapterConfig config(String dropout) throws IOException {
    Path file = folder.resolve("adapter_config.json");
    Files.writeString(
        file,
        """
        {"peft_type": "LORA", "r": 2, "target_modules": ["q_proj"], "lora_dropout": %s}
        """
            .formatted(dropout));
    return AdapterConfig.read(file);
  }

  @Test
  void leavesNothingWhereTheWeightsCannotBeWritten() throws IOException {
    Path blocked = Files.createDirectory(folder.resolve(AdapterFolder.WEIGHTS));
    assertThatThrownBy(() -> new AdapterFolder(START, 0).write(folder, List.of(), "card", Map.of()))
        .isInstanceOf(UsageException.class);
    assertThat(folder).isDirectoryContaining(blocked::equals);
    try (var left = Files.list(folder)) {
      assertThat(left).containsExactly(blocked);
    }
  }

  @Test
  void writesAllItsFiles() {
    new AdapterFolder(START, 0).write(folder, List.of(), "card", Map.of("global_step", 1));
    assertThat(AdapterFolder.FILES).allSatisfy(name -> assertThat(folder.resolve(name)).exists());
    assertThat(folder.resolve("README.md")).hasContent("card");
  }
}
