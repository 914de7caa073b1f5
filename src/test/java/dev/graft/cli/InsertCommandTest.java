package dev.graft.cli;

import static dev.graft.cli.CliRunner.graft;
import static org.assertj.core.api.Assertions.assertThat;

import dev.graft.cli.CliRunner.Run;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;

class InsertCommandTest {

  @TempDir Path folder;
  private Path out = Path.of("");

  @BeforeEach
  void nameTheOutput() {
    out = folder.resolve("model.onnx");
  }

  @Test
  void refusesNeitherAnAdapterNorTargetsAndBoth() throws IOException {
    Run neither = graft("insert", "-m", Samples.MODEL, "-o", out);
    assertThat(neither.code()).isEqualTo(2);
    assertThat(neither.err()).contains("--target-modules");
    Run both =
        graft(
            "insert",
            "-m",
            Samples.MODEL,
            "-a",
            Samples.ADAPTER,
            "--target-modules",
            "q",
            "-o",
            out);
    assertThat(both.code()).isEqualTo(2);
    assertThat(Samples.tree(folder)).isEmpty();
  }

  @Test
  void refusesAWeightOnTheAdapter() throws IOException {
    Run run = graft("insert", "-m", Samples.MODEL, "-a", Samples.ADAPTER + ":0.5", "-o", out);
    assertThat(run.code()).isEqualTo(2);
    assertThat(run.err()).contains("merge only");
    assertThat(Samples.tree(folder)).isEmpty();
  }

  @Test
  void leavesNothingBehindWhereTheAdapterDoesNotFit() throws IOException {
    Run run = graft("insert", "-m", Samples.OTHER_MODEL, "-a", Samples.ADAPTER, "-o", out);
    assertThat(run.code()).isEqualTo(3);
    assertThat(Samples.tree(folder)).isEmpty();
  }

  @Test
  void leavesNoNewAdapterBehindWhoseModelCannotBeMade() throws IOException {
    Path once = folder.resolve("once.onnx");
    assertThat(graft("insert", "-m", Samples.MODEL, "-a", Samples.ADAPTER, "-o", once).code())
        .isZero();
    List<String> before = Samples.tree(folder);
    Path twice = folder.resolve("new/twice.onnx");
    Run run = graft("insert", "-m", once, "--target-modules", "all-linear", "-o", twice);
    assertThat(run.code()).isEqualTo(3);
    assertThat(run.err()).contains("--adapter-name");
    assertThat(Samples.tree(folder)).isEqualTo(before);
  }

  @Test
  void refusesOptionsOfANewAdapterBesideAGivenOne() throws IOException {
    Run run = graft("insert", "-m", Samples.MODEL, "-a", Samples.ADAPTER, "--r", "4", "-o", out);
    assertThat(run.code()).isEqualTo(2);
    assertThat(run.err()).contains("--r shapes a new adapter");
    assertThat(Samples.tree(folder)).isEmpty();
  }

  @Test
  void namesTheConfigurationThatIsWrongByTheFolderAskedFor() throws IOException {
    Run run =
        graft("insert", "-m", Samples.MODEL, "--target-modules", "query", "--r", "0", "-o", out);
    assertThat(run.code()).isEqualTo(3);
    assertThat(run.err())
        .contains(folder.resolve("model-adapter/adapter_config.json") + ": r must be an integer");
    assertThat(Samples.tree(folder)).isEmpty();
  }

  @Test
  void replacesAnOlderOutputWithItsDataFile() throws IOException {
    Path base = Path.of("testdata/cases/llama-dynamo-external");
    for (int i = 0; i < 3; i++) {
      Run run =
          graft(
              "insert", "-m", base.resolve("base.onnx"), "-a", base.resolve("adapter"), "-o", out);
      assertThat(run.code()).as(run.err()).isZero();
      assertThat(Samples.tree(folder)).hasSize(2);
    }
  }

  @Test
  void refusesToOverwriteTheBase() throws IOException {
    Path base = Files.copy(Samples.MODEL, folder.resolve("base.onnx"));
    byte[] before = Files.readAllBytes(base);
    assertThat(graft("insert", "-m", base, "-a", Samples.ADAPTER, "-o", base).code()).isEqualTo(2);
    Run fresh = graft("insert", "-m", base, "--target-modules", "all-linear", "-o", base);
    assertThat(fresh.code()).isEqualTo(2);
    assertThat(base).hasBinaryContent(before);
    assertThat(Samples.tree(folder)).containsExactly("base.onnx");
  }

  @Test
  void refusesNumbersThatAreNone() throws IOException {
    for (String[] option :
        new String[][] {
          {"--rank-pattern", "q"},
          {"--rank-pattern", "q=x"},
          {"--alpha-pattern", "q="},
          {"--layers-to-transform", "1,,2"}
        }) {
      Run run =
          graft(
              "insert",
              "-m",
              Samples.MODEL,
              "--target-modules",
              "all-linear",
              option[0],
              option[1],
              "-o",
              out);
      assertThat(run.code()).as(option[0] + " " + option[1]).isEqualTo(2);
    }
    assertThat(Samples.tree(folder)).isEmpty();
  }

  @Test
  void reportsBranchesAndParameters() {
    Run run = graft("insert", "-m", Samples.MODEL, "-a", Samples.ADAPTER, "-o", out, "--json");
    assertThat(run.code()).isZero();
    assertThat(run.json().path("verb").asString()).isEqualTo("insert");
    int expected = 0;
    for (JsonNode site : run.json().path("sites")) {
      expected += site.path("kind").asString().equals("lora") ? 2 : 1;
    }
    assertThat(run.json().path("tensors").size()).isEqualTo(expected);
    assertThat(run.json().path("parameters").path("trainable").asLong()).isPositive();
    assertThat(out).exists();
  }

  @Test
  void writesANewAdapterBesideTheModelAndPeftsLine() throws IOException {
    Run run =
        graft(
            "insert", "-m", Samples.MODEL, "--target_modules", "all-linear", "--r", "2", "-o", out);
    assertThat(run.code()).as(run.err()).isZero();
    assertThat(run.out())
        .containsPattern(
            "trainable params: [0-9,]+ \\|\\| all params: [0-9,]+ \\|\\| trainable%: [0-9.]+");
    assertThat(Samples.tree(folder))
        .contains(
            "model.onnx",
            "model-adapter/adapter_config.json",
            "model-adapter/adapter_model.safetensors");
  }
}
