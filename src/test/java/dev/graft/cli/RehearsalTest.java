package dev.graft.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RehearsalTest {

  @TempDir Path folder;

  @Test
  void failsOnlyWhereNothingSucceeds() {
    assertThatIllegalStateException()
        .isThrownBy(
            () -> Rehearsal.main(new String[] {"inspect", "-m", "nowhere.onnx", "--then", "merge"}))
        .withMessageContaining("no command");
  }

  @Test
  void runsWhatFollowsAFailure() {
    Path output = folder.resolve("merged.onnx");
    Rehearsal.main(
        new String[] {
          "inspect",
          "-m",
          "nowhere.onnx",
          "--then",
          "merge",
          "-m",
          Samples.MODEL.toString(),
          "-a",
          Samples.ADAPTER.toString(),
          "-o",
          output.toString()
        });
    assertThat(output).exists();
  }
}
