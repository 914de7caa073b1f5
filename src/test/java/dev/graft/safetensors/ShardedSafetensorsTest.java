package dev.graft.safetensors;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.graft.error.FormatException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ShardedSafetensorsTest {

  @TempDir Path folder;

  @BeforeEach
  void writeShards() {
    SafetensorsBytes.write(folder.resolve("m-2.safetensors"), SafetensorsBytes.float32("c [1]"));
    SafetensorsBytes.write(
        folder.resolve("m-1.safetensors"), SafetensorsBytes.float32("a [2]", "b [3]"));
  }

  private Path index(String weightMap) throws IOException {
    return Files.writeString(
        folder.resolve("m.safetensors.index.json"),
        "{\"metadata\": {\"total_size\": 24}, \"weight_map\": {" + weightMap + "}}");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "../m-1.safetensors",
        "/etc/m-1.safetensors",
        "sub/m-1.safetensors",
        "sub\\\\m-1.safetensors",
        ".safetensors",
        "",
        "c:m.safetensors",
        "m\\u0000.safetensors",
        "m-1.bin"
      })
  void refusesFileNamesThatCouldLeaveTheFolder(String name) throws IOException {
    Path index = index("\"a\": \"" + name + "\"");

    assertThatThrownBy(() -> ShardedSafetensors.open(index))
        .isInstanceOf(FormatException.class)
        .hasMessageContaining(
            "weight_map \"a\" must name a .safetensors file in the index's own folder");
  }

  @Test
  void refusesAnIndexThatDisagreesWithItsShards() throws IOException {
    Path index = index("\"a\": \"m-1.safetensors\", \"b\": \"m-2.safetensors\"");

    assertThatThrownBy(() -> ShardedSafetensors.open(index))
        .isInstanceOf(FormatException.class)
        .hasMessageContaining("m-1.safetensors holds tensor \"b\"")
        .hasMessageContaining("tensor \"b\" is not in m-2.safetensors")
        .hasMessageContaining("m-2.safetensors holds tensor \"c\"");
  }

  @Test
  void refusesAMissingShardAndATensorTwice() throws IOException {
    Path missing = index("\"a\": \"m-3.safetensors\"");
    assertThatThrownBy(() -> ShardedSafetensors.open(missing))
        .isInstanceOf(FormatException.class)
        .hasMessageContaining("m-3.safetensors: no such file");

    Path twice = index("\"a\": \"m-1.safetensors\", \"a\": \"m-2.safetensors\"");
    assertThatThrownBy(() -> ShardedSafetensors.open(twice))
        .isInstanceOf(FormatException.class)
        .hasMessageContaining("Duplicate");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "[]",
        "{}",
        "{\"weight_map\": 1}",
        "{\"weight_map\": {}}",
        "{\"weight_map\": {\"a\": 1}}",
        "",
        "{"
      })
  void refusesOtherJson(String json) throws IOException {
    Path index = Files.writeString(folder.resolve("m.safetensors.index.json"), json);

    assertThatThrownBy(() -> ShardedSafetensors.open(index))
        .isInstanceOf(FormatException.class)
        .hasMessageStartingWith(index.toString());
  }

  @Test
  void joinsTheShards() throws IOException {
    ShardedSafetensors sharded =
        ShardedSafetensors.open(
            index(
                "\"c\": \"m-2.safetensors\", \"b\": \"m-1.safetensors\", \"a\": \"m-1.safetensors\""));

    assertThat(sharded.tensors().keySet()).containsExactly("a", "b", "c");
    assertThat(sharded.files())
        .extracting(f -> f.path().getFileName().toString())
        .containsExactly("m-1.safetensors", "m-2.safetensors");
    assertThat(SafetensorsData.readFloats(sharded.tensors().lastEntry().getValue()))
        .containsExactly(0.5f);
  }
}
