package dev.graft.cli;

import static dev.graft.cli.CliRunner.graft;
import static org.assertj.core.api.Assertions.assertThat;

import dev.graft.cli.CliRunner.Run;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DemoCommandTest {

  @TempDir Path folder;

  @AfterEach
  void forgetTheFolder() {
    System.clearProperty("graft.home");
  }

  @Test
  void saysWhatItNeedsOutsideTheProject() {
    System.setProperty("graft.home", folder.toString());
    Run run = graft("demo");
    assertThat(run.code()).isEqualTo(3);
    assertThat(run.err()).contains("all-minilm-l6-v2.onnx").contains("GRAFT_HOME");
  }

  @Test
  @Tag("real-model")
  void provesTheFoldOfARealAdapterEveryTime() {
    System.setProperty("graft.home", Path.of("").toAbsolutePath().toString());
    Run run = graft("demo", "--json");
    assertThat(run.err()).isEmpty();
    assertThat(run.code()).isZero();
    assertThat(run.json().at("/merge/sites").size()).isEqualTo(12);
    assertThat(run.json().at("/checks/1/maxAbs").asDouble()).isBetween(0.0, 5e-5);
    assertThat(run.json().path("moved").asDouble()).isGreaterThan(0.1);
    assertThat(run.json().at("/nodes/same").asLong())
        .isEqualTo(run.json().at("/nodes/total").asLong());
    Run again = graft("demo");
    assertThat(again.code()).isZero();
    assertThat(again.out())
        .contains("12 targets: 12 by node path")
        .contains("7.1 MB of 90.4 MB")
        .contains(run.json().at("/merge/files/outputs/0/sha256").asString())
        .contains("every check holds");
  }
}
