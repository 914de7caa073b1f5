package dev.graft.cli;

import static dev.graft.cli.CliRunner.graft;
import static org.assertj.core.api.Assertions.assertThat;

import dev.graft.cli.CliRunner.Run;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code merge --share-base}, {@code materialize} and what other verbs make of a thin model. */
class ThinCommandsTest {

  @TempDir Path folder;
  private Path base = Path.of("");
  private Path thin = Path.of("");

  @BeforeEach
  void copyTheBase() throws IOException {
    base = Files.createDirectories(folder.resolve("base")).resolve("model.onnx");
    Files.copy(Samples.MODEL, base);
    thin = folder.resolve("task.onnx");
  }

  private Run share(Path adapter, Path output, String... more) {
    Object[] words = new Object[8 + more.length];
    Object[] first = {"merge", "-m", base, "-a", adapter, "-o", output, "--share-base"};
    System.arraycopy(first, 0, words, 0, first.length);
    System.arraycopy(more, 0, words, first.length, more.length);
    return graft(words);
  }

  private static void refused(Run run, int exitCode, String why) {
    assertThat(run.code()).isEqualTo(exitCode);
    assertThat(run.err()).contains(why).doesNotContain("\tat ");
  }

  @Test
  void refusesAPlaceOutsideTheBasesFoldersAlsoInADryRun() throws IOException {
    Path elsewhere = Files.createDirectories(folder.resolve("elsewhere")).resolve("task.onnx");
    refused(share(Samples.ADAPTER, elsewhere), 2, "in the folder of its base");
    refused(share(Samples.ADAPTER, elsewhere, "--dry-run"), 2, "in the folder of its base");
    refused(
        share(Samples.ADAPTER, folder.resolve("missing/task.onnx")),
        2,
        "in the folder of its base");
    assertThat(folder.resolve("missing")).doesNotExist();
    assertThat(elsewhere).doesNotExist();
  }

  @Test
  void refusesToSayHowARecordIsWrittenWhereThereIsNone() {
    refused(share(Samples.ADAPTER, thin, "--undo-without-adapter"), 2, "a thin model has none");
    assertThat(thin).doesNotExist();
  }

  @Test
  void refusesWhatNeedsAModelThatStandsAlone() {
    share(Samples.ADAPTER, thin);
    Path out = folder.resolve("out.onnx");
    refused(graft("unmerge", "-m", thin, "-o", out), 2, "its base is there itself");
    refused(
        graft("merge", "-m", thin, "-a", Samples.ADAPTER, "--again", "-o", out),
        4,
        "graft materialize");
    refused(graft("insert", "-m", thin, "-a", Samples.ADAPTER, "-o", out), 4, "graft materialize");
    refused(graft("materialize", "-m", base, "-o", out), 2, "is no thin model");
    refused(
        graft("switch", "-m", thin, "-a", Samples.ADAPTER, "-o", out, "--with", Samples.ADAPTER),
        2,
        "--with is of no use");
    assertThat(out).doesNotExist();
  }

  @Test
  void everyVerbRefusesAThinModelWhoseBaseWasReplaced() throws IOException {
    share(Samples.ADAPTER, thin);
    Files.copy(Samples.OTHER_MODEL, base, StandardCopyOption.REPLACE_EXISTING);
    String why = "is not the one that it was made from";
    Path out = folder.resolve("out.onnx");
    refused(graft("inspect", "-m", thin), 3, why);
    refused(graft("verify", "-m", thin, "--reference", Samples.MODEL), 3, why);
    refused(graft("verify", "-m", Samples.MODEL, "--reference", thin), 3, why);
    refused(graft("materialize", "-m", thin, "-o", out), 3, why);
    refused(graft("switch", "-m", thin, "-a", Samples.ADAPTER, "-o", out), 3, why);
    refused(graft("unmerge", "-m", thin, "-o", out), 3, why);
    refused(graft("merge", "-m", thin, "-a", Samples.ADAPTER, "-o", out), 3, why);
    refused(graft("insert", "-m", thin, "-a", Samples.ADAPTER, "-o", out), 3, why);
    assertThat(out).doesNotExist();
  }

  @Test
  void aThinModelHoldsNoMoreThanWhatChangesAndNoRecord() throws IOException {
    assertThat(share(Samples.ADAPTER, thin).code()).isZero();
    assertThat(Samples.tree(folder))
        .containsExactlyInAnyOrder("base", "base/model.onnx", "task.onnx", "task.onnx.data");
    assertThat(graft("inspect", "-m", thin).code()).isZero();
    Run parity =
        graft(
            "verify",
            "-m",
            thin,
            "--inputs",
            Samples.INPUTS,
            "--reference-outputs",
            Samples.GOLDEN + ":merged");
    assertThat(parity.code()).as(parity.err()).isZero();
    Run weights = graft("verify", "-m", thin, "--weights", "--base", base, "-a", Samples.ADAPTER);
    assertThat(weights.code()).as(weights.out() + weights.err()).isZero();
  }

  @Test
  void materializeGivesTheBytesOfAMergeAndSwitchThoseOfAThinMergeIntoTheBase() {
    share(Samples.ADAPTER, thin);
    Path full = folder.resolve("full/model.onnx");
    Path alone = folder.resolve("alone/model.onnx");
    graft("merge", "-m", base, "-a", Samples.ADAPTER, "-o", full, "--no-undo");
    Run run = graft("materialize", "-m", thin, "-o", alone, "--json");
    assertThat(run.code()).as(run.err()).isZero();
    assertThat(run.out()).contains("\"verb\"").contains("materialize").contains("sha256");
    assertThat(alone).hasSameBinaryContentAs(full);
    Path switched = folder.resolve("half.onnx");
    Path again = folder.resolve("materialized/model.onnx");
    Path half = folder.resolve("merged-half/model.onnx");
    graft("switch", "-m", thin, "-a", Samples.ADAPTER + ":0.5", "-o", switched);
    graft("materialize", "-m", switched, "-o", again);
    graft("merge", "-m", base, "-a", Samples.ADAPTER + ":0.5", "-o", half, "--no-undo");
    assertThat(again).hasSameBinaryContentAs(half);
  }
}
