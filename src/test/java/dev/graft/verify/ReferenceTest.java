package dev.graft.verify;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

final class ReferenceTest {

  @TempDir Path folder;

  @Test
  void readsAFileAlone() {
    assertThat(Reference.parseStored("a/g.safetensors"))
        .isEqualTo(new Reference.Stored(Path.of("a/g.safetensors"), Optional.empty()));
  }

  @Test
  void readsAFileAndATensor() {
    Reference.Stored stored = Reference.parseStored("a/g.safetensors:merged");
    assertThat(stored)
        .isEqualTo(new Reference.Stored(Path.of("a/g.safetensors"), Optional.of("merged")))
        .hasToString("a/g.safetensors:merged");
  }

  @Test
  @DisabledOnOs(OS.WINDOWS)
  void takesAFileThatHasAColonInItsName() throws IOException {
    Path file = Files.createFile(folder.resolve("g:1"));
    assertThat(Reference.parseStored(file.toString()).file()).isEqualTo(file);
    assertThat(Reference.parseStored(file + ":2").tensor()).contains("2");
  }
}
