package dev.graft.cli;

import static dev.graft.cli.CliRunner.graft;
import static org.assertj.core.api.Assertions.assertThat;

import dev.graft.cli.CliRunner.Run;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

class VerifyCommandTest {

  @TempDir Path folder;

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "--reference a --reference-outputs b --inputs c",
        "--reference-outputs b",
        "--reference a --inputs b --seed 3",
        "--reference a --atol -1",
        "--reference a --rtol NaN",
        "--reference a --base b",
        "--reference a --prefix =model.",
        "--reference a --tied peft-merge",
        "--weights",
        "--weights --base a",
        "--weights --base a -a b --reference c",
        "--weights --base a -a b --atol 1"
      })
  void refusesOptionsThatDoNotGoTogether(String options) {
    Run run = graft((Object[]) ("verify -m model.onnx " + options).strip().split(" "));
    assertThat(run.code()).isEqualTo(2);
    assertThat(run.err()).startsWith("graft: ").contains("--");
  }

  @Test
  void namesAReferenceThatIsMissing() {
    Run run = graft("verify", "-m", Samples.MODEL, "--reference", folder.resolve("gone.onnx"));
    assertThat(run.code()).isEqualTo(3);
    assertThat(run.err()).contains("gone.onnx");
  }

  @Test
  void refusesAReportThatWouldReplaceAnInput() {
    Run run = graft("verify", "-m", Samples.MODEL, "--reference", "x", "--report", Samples.MODEL);
    assertThat(run.code()).isEqualTo(2);
    assertThat(run.err()).contains("choose another output path");
  }

  @Test
  void endsWithOneWhereTheCheckDoesNotHold() {
    Run run =
        graft(
            "verify",
            "-m",
            Samples.MODEL,
            "--reference-outputs",
            Samples.GOLDEN + ":merged",
            "--inputs",
            Samples.INPUTS);
    assertThat(run.code()).isEqualTo(1);
    assertThat(run.err()).isEmpty();
    assertThat(run.out())
        .contains("DOES NOT HOLD")
        .contains("elements are beyond the tolerance; worst at")
        .contains("the check does not hold");
  }

  @Test
  void holdsAMergedModelAgainstStoredOutputs() throws IOException {
    Path merged = merged();
    Path file = folder.resolve("report.json");
    Run run =
        graft(
            "verify",
            "-m",
            merged,
            "--reference_outputs",
            Samples.GOLDEN + ":merged",
            "--inputs",
            Samples.INPUTS,
            "--atol",
            "1e-5",
            "--rtol",
            "0",
            "--report",
            file,
            "--json");
    assertThat(run.code()).isZero();
    JsonNode report = run.json();
    assertThat(report.path("holds").asBoolean()).isTrue();
    assertThat(report.at("/outputs/0/name").asString()).isEqualTo("logits");
    assertThat(report.at("/outputs/0/maxAbs").asDouble()).isBetween(0.0, 1e-5);
    assertThat(report.at("/outputs/0/tolerance/atol").asDouble()).isEqualTo(1e-5);
    assertThat(report.at("/outputs/0/argmax/total").asInt()).isEqualTo(2);
    assertThat(JsonMapper.builder().build().readTree(Files.readString(file))).isEqualTo(report);
  }

  @Test
  void holdsAModelAgainstAnother() {
    Run run = graft("verify", "-m", Samples.MODEL, "--reference", Samples.MODEL, "--seed", "7");
    assertThat(run.code()).isZero();
    assertThat(run.out()).contains("seed 7").contains("1.0e-04").contains("the check holds");
  }

  @Test
  void findsWeightsThatAreNotTheFold() {
    Path merged = merged();
    Run other =
        graft(
            "verify",
            "-m",
            merged,
            "--weights",
            "--base",
            Samples.MODEL,
            "-a",
            Samples.ADAPTER + ":0.5",
            "--json");
    assertThat(other.code()).isEqualTo(1);
    assertThat(other.json().path("holds").asBoolean()).isFalse();
    assertThat(other.json().at("/found/differences/0/name").asString()).isNotEmpty();
    Run base =
        graft(
            "verify",
            "-m",
            Samples.MODEL,
            "--weights",
            "--base",
            Samples.MODEL,
            "-a",
            Samples.ADAPTER);
    assertThat(base.code()).isEqualTo(1);
    assertThat(base.out()).contains("DIFFERENT").contains("the check does not hold");
  }

  @Test
  void comparesWeightsWithoutARuntime() {
    Run run =
        graft(
            "verify", "-m", merged(), "--weights", "--base", Samples.MODEL, "-a", Samples.ADAPTER);
    assertThat(run.code()).isZero();
    assertThat(run.out()).contains("13 tensors must be the fold").contains("the check holds");
  }

  private Path merged() {
    Path merged = folder.resolve("merged.onnx");
    assertThat(graft("merge", "-m", Samples.MODEL, "-a", Samples.ADAPTER, "-o", merged).code())
        .isZero();
    return merged;
  }
}
