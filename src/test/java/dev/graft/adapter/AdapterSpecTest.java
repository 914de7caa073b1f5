package dev.graft.adapter;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.graft.error.UsageException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class AdapterSpecTest {

  @ParameterizedTest
  @ValueSource(
      strings = {
        "dir:0",
        "dir:-0.0",
        "dir:0e5",
        "dir:nan",
        "dir:NaN",
        "dir:inf",
        "dir:-Infinity",
        "dir:1e999",
        "dir:1e-999",
        "",
        ":1",
        "a\0b"
      })
  void refusesWeightsAndPathsThatMakeNoSense(String text) {
    assertThatThrownBy(() -> AdapterSpec.parse(text)).isInstanceOf(UsageException.class);
  }

  @ParameterizedTest
  @CsvSource({
    "dir, dir, 1",
    "dir:0.5, dir, 0.5",
    "dir:-1, dir, -1",
    "dir:+2., dir, 2",
    "dir:.25, dir, 0.25",
    "dir:1e-3, dir, 0.001",
    "a:b:3, a:b, 3",
    "a:b, a:b, 1",
    "C:/adapters, C:/adapters, 1",
    "dir:1f, dir:1f, 1",
    "dir:0x1p3, dir:0x1p3, 1",
    "dir:, dir:, 1"
  })
  void takesOnlyANumberForTheWeight(String text, String path, double weight) {
    assertThat(AdapterSpec.parse(text)).isEqualTo(new AdapterSpec(Path.of(path), weight));
  }

  @Test
  void takesAnExistingPathWhole(@TempDir Path folder) throws IOException {
    Path odd = Files.createDirectory(folder.resolve("run:0.5"));

    assertThat(AdapterSpec.parse(odd.toString())).isEqualTo(new AdapterSpec(odd, 1));
    assertThat(AdapterSpec.parse(odd + ":2")).isEqualTo(new AdapterSpec(odd, 2));
  }
}
