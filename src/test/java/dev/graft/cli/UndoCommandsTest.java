package dev.graft.cli;

import static dev.graft.cli.CliRunner.graft;
import static org.assertj.core.api.Assertions.assertThat;

import dev.graft.cli.CliRunner.Run;
import dev.graft.io.InputFile;
import dev.graft.io.Progress;
import dev.graft.io.Sha256;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code unmerge} and {@code switch}, refusals first. */
class UndoCommandsTest {

  @TempDir Path folder;
  private Path merged = Path.of("");
  private Path back = Path.of("");

  @BeforeEach
  void nameTheFiles() {
    merged = folder.resolve("merged/model.onnx");
    back = folder.resolve("back/model.onnx");
  }

  @Test
  void refusesAModelWithoutAMerge() throws IOException {
    refused(graft("unmerge", "-m", Samples.MODEL, "-o", back), 3, "holds no merge of Graft's");
    refused(graft("switch", "-m", Samples.MODEL, "-a", Samples.ADAPTER, "-o", back), 3, "no merge");
    assertThat(Samples.tree(folder)).isEmpty();
  }

  @Test
  void refusesAMissingRecordAndSaysWhatItIsFor() throws IOException {
    merge("--no-undo");
    assertThat(Samples.tree(folder)).containsExactly("merged", "merged/model.onnx");
    refused(unmerge(), 3, "there is no undo record");
    refused(switched(), 3, "there is no undo record");
    assertThat(Samples.tree(folder)).containsExactly("merged", "merged/model.onnx");
  }

  @Test
  void refusesTheRecordOfAnotherModel() throws IOException {
    merge();
    Path other = folder.resolve("other/model.onnx");
    graft("merge", "-m", Samples.MODEL, "-a", Samples.ADAPTER + ":0.5", "-o", other);
    Files.delete(record());
    Files.move(other.resolveSibling("model.onnx.undo"), record());
    refused(unmerge(), 3, "is of another model");
    assertThat(back.getParent()).doesNotExist();
  }

  @Test
  void refusesARecordThatIsCutShort() throws IOException {
    merge();
    byte[] whole = Files.readAllBytes(record());
    Files.write(record(), Arrays.copyOf(whole, whole.length - 1));
    refused(unmerge(), 3, "the undo record is damaged");
    Files.write(record(), new byte[0]);
    refused(unmerge(), 3, "is not an undo record");
    assertThat(back.getParent()).doesNotExist();
  }

  @Test
  void refusesOtherAdaptersThanTheOneThatWasMerged() throws IOException {
    merge("--undo-without-adapter");
    refused(unmerge(), 3, "was written without the adapter's tensors");
    refused(switched(), 3, "was written without the adapter's tensors");
    Path other = Samples.adapterWith(folder, "\"r\"", "\"r\" ");
    refused(unmerge("-a", other), 3, "has the SHA-256");
    assertThat(back.getParent()).doesNotExist();
    assertThat(unmerge("-a", Samples.ADAPTER).code()).isZero();
    assertThat(back).hasSameBinaryContentAs(Samples.MODEL);
  }

  @Test
  void refusesAnotherAdapterThoughTheRecordHasIts() throws IOException {
    merge();
    Path other = Samples.adapterWith(folder, "\"r\"", "\"r\" ");
    refused(unmerge("-a", other), 3, "has the SHA-256");
    assertThat(back.getParent()).doesNotExist();
  }

  @Test
  void refusesToTakeTheNameOfAFileUnlessForced() throws IOException {
    Path base = Samples.externalIn(folder, "weights.bin");
    Files.write(folder.resolve("weights.bin"), Samples.weight());
    assertThat(graft("merge", "-m", base, "-a", Samples.ADAPTER, "-o", merged).code()).isZero();
    Files.createDirectories(back.getParent());
    Path taken = Files.writeString(back.resolveSibling("weights.bin"), "another model's");
    refused(unmerge(), 3, "--force");
    assertThat(taken).hasContent("another model's");
    assertThat(back).doesNotExist();
    assertThat(unmerge("--force").code()).isZero();
    assertThat(back).hasSameBinaryContentAs(base);
    assertThat(taken).hasSameBinaryContentAs(folder.resolve("weights.bin"));
  }

  @Test
  void refusesOutputsThatAreInputs() throws IOException {
    merge();
    byte[] model = Files.readAllBytes(merged);
    byte[] record = Files.readAllBytes(record());
    for (Path out : new Path[] {merged, record()}) {
      refused(graft("unmerge", "-m", merged, "-o", out), 2, "input");
      refused(graft("switch", "-m", merged, "-a", Samples.ADAPTER + ":2", "-o", out), 2, "input");
    }
    assertThat(Files.readAllBytes(merged)).isEqualTo(model);
    assertThat(Files.readAllBytes(record())).isEqualTo(record);
  }

  @Test
  void refusesOptionsThatExcludeEachOtherAndNoThreads() {
    Run both =
        graft(
            "merge",
            "-m",
            Samples.MODEL,
            "-a",
            Samples.ADAPTER,
            "-o",
            merged,
            "--no-undo",
            "--undo-without-adapter");
    refused(both, 2, "exclude each other");
    refused(graft("unmerge", "-m", merged, "-o", back, "--threads", "0"), 2, "--threads is 0");
    refused(
        graft("switch", "-m", merged, "-a", "a", "-o", back, "--threads", "0"), 2, "--threads is");
  }

  @Test
  void unmergesAndReportsEveryFile() throws IOException {
    merge();
    Path report = folder.resolve("report.json");
    Run run = unmerge("--json", "--report", report);
    assertThat(run.code()).isZero();
    assertThat(run.err()).isEmpty();
    assertThat(back).hasSameBinaryContentAs(Samples.MODEL);
    assertThat(back.resolveSibling("model.onnx.undo")).doesNotExist();
    assertThat(run.out()).contains(sha256(Samples.MODEL));
    assertThat(Files.readString(report)).contains(sha256(Samples.MODEL));
  }

  @Test
  void tellsInWordsAndKeepsQuietWhenAsked() {
    merge();
    Run words = unmerge();
    assertThat(words.out()).contains("model.onnx");
    Run quiet = graft("unmerge", "-m", merged, "-o", folder.resolve("b/model.onnx"), "--quiet");
    assertThat(quiet.code()).isZero();
    assertThat(quiet.out()).isEmpty();
    assertThat(quiet.err()).isEmpty();
  }

  @Test
  void switchesToTheBytesOfAFreshMerge() {
    merge();
    assertThat(switched("--json").json().path("files").path("outputs")).hasSize(2);
    Path fresh = folder.resolve("fresh/model.onnx");
    graft("merge", "-m", Samples.MODEL, "-a", Samples.ADAPTER + ":0.5", "-o", fresh);
    assertThat(back).hasSameBinaryContentAs(fresh);
    assertThat(back.resolveSibling("model.onnx.undo"))
        .hasSameBinaryContentAs(fresh.resolveSibling("model.onnx.undo"));
  }

  @Test
  void switchesWithTheMergedAdapterWhereTheRecordHasNone() {
    merge("--undo-without-adapter");
    assertThat(switched("--with", Samples.ADAPTER, "--no-undo").code()).isZero();
    assertThat(back).exists();
    assertThat(back.resolveSibling("model.onnx.undo")).doesNotExist();
  }

  private Path record() {
    return merged.resolveSibling("model.onnx.undo");
  }

  private void merge(Object... more) {
    Run run = with(more, "merge", "-m", Samples.MODEL, "-a", Samples.ADAPTER, "-o", merged);
    assertThat(run.code()).as(run.err()).isZero();
  }

  private Run unmerge(Object... more) {
    return with(more, "unmerge", "-m", merged, "-o", back);
  }

  private Run switched(Object... more) {
    return with(more, "switch", "-m", merged, "-a", Samples.ADAPTER + ":0.5", "-o", back);
  }

  private static Run with(Object[] more, Object... args) {
    Object[] all = Arrays.copyOf(args, args.length + more.length);
    System.arraycopy(more, 0, all, args.length, more.length);
    return graft(all);
  }

  private static String sha256(Path file) {
    try (InputFile input = InputFile.open(file)) {
      return Sha256.of(input, 0, input.size(), Progress.NONE);
    }
  }

  /** One message, no trace, and the code. */
  private static void refused(Run run, int code, String message) {
    assertThat(run.err()).contains(message).doesNotContain("\tat ");
    assertThat(run.code()).isEqualTo(code);
    assertThat(run.out()).isEmpty();
  }
}
