package dev.graft.safetensors;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.graft.error.FormatException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class JsonReaderTest {

  @TempDir Path folder;

  private Json read(String text) throws IOException {
    return StrictJson.read(Files.writeString(folder.resolve("a.json"), text), 1 << 20);
  }

  @Test
  void refusesMoreValuesThanAnyFileHas() throws IOException {
    String most = "[" + "0,".repeat((1 << 18) - 2) + "0]";
    assertThat(read(most)).isInstanceOf(Json.Arr.class);
    assertThatThrownBy(() -> read("[0," + most.substring(1)))
        .isInstanceOf(FormatException.class)
        .hasMessageContaining("a.json: holds more than 262144 values, up to character 5242");
  }

  @Test
  void keepsOrderAndSpelling() throws IOException {
    String text = "{\"b\": [1.50, 1e3, true, false, null], \"a\": {\"x\": \"\\u0001\"}}";
    assertThat(read(text)).hasToString(text);
  }
}
