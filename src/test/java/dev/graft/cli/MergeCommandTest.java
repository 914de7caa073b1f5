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
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

class MergeCommandTest {

  private static final Path TIED = Path.of("testdata/cases/llama-tied-ts-tied-embed/base.onnx");
  private static final Path TIED_ADAPTER = TIED.resolveSibling("adapter");

  @TempDir Path folder;
  private Path out = Path.of("");

  @BeforeEach
  void nameTheOutput() {
    out = folder.resolve("merged/model.onnx");
  }

  @Test
  void refusesSeveralAdaptersAndAModelWithNothingToFold() throws IOException {
    Run none = graft("merge", "-m", Samples.MODEL, "-o", out);
    assertThat(none.code()).isEqualTo(3);
    assertThat(none.err()).contains("holds no LoRA branches, so there is nothing to fold");
    Run apart = graft("merge", "-m", Samples.MODEL, "-o", out, "--undo-without-adapter");
    assertThat(apart.code()).isEqualTo(2);
    assertThat(apart.err()).contains("the undo record has to hold it");
    Run many = graft("merge", "-m", "a", "-m", "b", "-o", out);
    assertThat(many.code()).isEqualTo(2);
    assertThat(many.err()).contains("the branches of one model are folded");
    Run two = graft("merge", "-m", Samples.MODEL, "-a", Samples.ADAPTER, "-a", "b:0.5", "-o", out);
    assertThat(two.code()).isEqualTo(4);
    assertThat(two.err()).contains("-a is given 2 times");
    assertThat(Samples.tree(folder)).isEmpty();
  }

  @Test
  void foldsWhatInsertPutInAndTakesTheFoldBack() throws IOException {
    Path branches = folder.resolve("branches.onnx");
    assertThat(graft("insert", "-m", Samples.MODEL, "-a", Samples.ADAPTER, "-o", branches).code())
        .isZero();
    Run fold = graft("merge", "-m", branches, "-o", out, "--json");
    assertThat(fold.err()).doesNotContain("graft-");
    assertThat(fold.code()).isZero();
    assertThat(fold.out()).contains("is folded and gone");
    Path back = folder.resolve("back/branches.onnx");
    Files.createDirectories(folder.resolve("back"));
    assertThat(graft("unmerge", "-m", out, "-o", back).code()).isZero();
    assertThat(Files.mismatch(back, branches)).isEqualTo(-1);
  }

  @Test
  void refusesSeveralModelsWhoseOutputsHaveNoPlace() throws IOException {
    Path file = Files.writeString(folder.resolve("taken"), "a file");
    Run intoFile = graft("merge", "-m", "a", "-m", "b", "-a", Samples.ADAPTER, "-o", file);
    assertThat(intoFile.code()).isEqualTo(2);
    assertThat(intoFile.err()).contains("several models are written into a folder");
    Run alike = graft("merge", "-m", "x/a", "-m", "y/a", "-a", Samples.ADAPTER, "-o", out);
    assertThat(alike.code()).isEqualTo(2);
    assertThat(alike.err()).contains("one file name");
    Path copy = Files.copy(Samples.MODEL, folder.resolve("a.onnx"));
    Path other = Files.copy(Samples.MODEL, folder.resolve("b.onnx"));
    Run over = graft("merge", "-m", copy, "-m", other, "-a", Samples.ADAPTER, "-o", folder);
    assertThat(over.code()).isEqualTo(2);
    assertThat(over.err()).contains("would overwrite the input");
    assertThat(Samples.tree(folder)).containsExactly("a.onnx", "b.onnx", "taken");
  }

  @Test
  void leavesNothingBehindIfOneOfSeveralModelsDoesNotFit() throws IOException {
    Path copy = Files.copy(Samples.MODEL, folder.resolve("a.onnx"));
    Path other = Files.copy(Samples.OTHER_MODEL, folder.resolve("b.onnx"));
    Run run = graft("merge", "-m", copy, "-m", other, "-a", Samples.ADAPTER, "-o", out);
    assertThat(run.code()).isEqualTo(3);
    assertThat(run.err()).contains("b.onnx").contains("no place for any target");
    assertThat(Samples.tree(folder)).containsExactly("a.onnx", "b.onnx");
  }

  @Test
  void mergesSeveralModelsIntoAFolderAsEachByItself() throws IOException {
    Path first = Files.copy(Samples.MODEL, folder.resolve("a.onnx"));
    Path second = Files.copy(Samples.MODEL, folder.resolve("b.onnx"));
    Path alone = folder.resolve("alone.onnx");
    assertThat(graft("merge", "-m", first, "-a", Samples.ADAPTER, "-o", alone).code()).isZero();
    Run run = graft("merge", "-m", first, "-m", second, "-a", Samples.ADAPTER, "-o", out, "--json");
    assertThat(run.code()).isZero();
    assertThat(run.json().path("merges")).hasSize(2);
    assertThat(Files.readAllBytes(out.resolve("a.onnx")))
        .isEqualTo(Files.readAllBytes(alone))
        .isEqualTo(Files.readAllBytes(out.resolve("b.onnx")));
  }

  @Test
  void refusesAWeightOfZeroAndNoThreads() {
    Run weight = graft("merge", "-m", Samples.MODEL, "-a", Samples.ADAPTER + ":0", "-o", out);
    assertThat(weight.code()).isEqualTo(2);
    assertThat(weight.err()).contains("weight 0");
    Run threads = merge("--threads", "0");
    assertThat(threads.code()).isEqualTo(2);
    assertThat(threads.err()).contains("--threads is 0");
  }

  @Test
  void refusesAPrefixOfAnotherForm() {
    Run run = merge("--prefix", "bert.");
    assertThat(run.code()).isEqualTo(2);
    assertThat(run.err()).contains("FROM=TO");
  }

  @Test
  void refusesAnotherWordForTies() {
    Run run = graft("merge", "-m", TIED, "-a", TIED_ADAPTER, "-o", out, "--tied", "both");
    assertThat(run.code()).isEqualTo(2);
    assertThat(run.err()).contains("--tied is 'both', expected active or peft-merge");
  }

  @Test
  void leavesTiesAsAskedAndVerifiesThem() {
    Path merged = folder.resolve("merged.onnx");
    Run active = graft("merge", "-m", TIED, "-a", TIED_ADAPTER, "-o", out, "--json");
    assertThat(active.json().path("sites")).hasSize(1);
    Run peft =
        graft(
            "merge",
            "-m",
            TIED,
            "-a",
            TIED_ADAPTER,
            "-o",
            merged,
            "--tied",
            "peft-merge",
            "--json");
    assertThat(peft.json().path("sites")).hasSize(2);
    assertThat(peft.json().path("sites").path(1).path("rule").asString()).isEqualTo("tied weight");
    assertThat(verify(out, "active").code()).isZero();
    assertThat(verify(merged, "peft-merge").code()).isZero();
    assertThat(verify(out, "peft-merge").code()).isEqualTo(1);
    assertThat(verify(merged, "active").code()).isEqualTo(1);
  }

  private static Run verify(Path merged, String tied) {
    return graft(
        "verify", "-m", merged, "--weights", "--base", TIED, "-a", TIED_ADAPTER, "--tied", tied);
  }

  @Test
  void refusesAnAdapterThatTheModelHoldsUnlessAskedAgain() {
    assertThat(merge().code()).isZero();
    Path second = folder.resolve("second.onnx");
    Run run = graft("merge", "-m", out, "-a", Samples.ADAPTER, "-o", second);
    assertThat(run.code()).isEqualTo(3);
    assertThat(run.err()).contains("holds the adapter 'adapter' already").contains("--again");
    assertThat(second).doesNotExist();
    assertThat(graft("merge", "-m", out, "-a", Samples.ADAPTER, "-o", second, "--again").code())
        .isZero();
    assertThat(second).exists();
  }

  @Test
  void refusesAReportThatWouldReplaceAFileOfTheMerge() throws IOException {
    Path adapter = Samples.adapterIn(folder);
    for (Path report :
        new Path[] {
          out, folder.resolve("merged/model.onnx.data"), adapter.resolve("adapter_config.json")
        }) {
      Run run = graft("merge", "-m", Samples.MODEL, "-a", adapter, "-o", out, "--report", report);
      assertThat(run.code()).as(report.toString()).isEqualTo(2);
      assertThat(run.err()).contains(report.toString());
    }
    assertThat(out).doesNotExist();
  }

  @Test
  void leavesNoReportAndNoFolderAfterAFailure() throws IOException {
    Run run =
        graft(
            "merge",
            "-m",
            Samples.OTHER_MODEL,
            "-a",
            Samples.ADAPTER,
            "-o",
            out,
            "--report",
            folder.resolve("reports/r.json"));
    assertThat(run.code()).isEqualTo(3);
    assertThat(Samples.tree(folder)).isEmpty();
  }

  @Test
  void reportsAFailureAsJson() {
    Run run = graft("merge", "-m", "gone.onnx", "-a", Samples.ADAPTER, "-o", out, "--json");
    assertThat(run.code()).isEqualTo(3);
    assertThat(run.json().at("/error/kind").asString()).isEqualTo("format");
    assertThat(run.json().at("/error/message").asString()).isEqualTo("gone.onnx: no such file");
    assertThat(run.err()).isEqualToIgnoringNewLines("graft: gone.onnx: no such file");
  }

  @Test
  void writesNothingInADryRun() throws IOException {
    Run run = merge("--dry_run");
    assertThat(run.code()).isZero();
    assertThat(run.out()).contains("13 targets").contains("none, this was a dry run");
    assertThat(Samples.tree(folder)).isEmpty();
    Run json = merge("--dry-run", "--json");
    assertThat(json.json().path("dryRun").asBoolean()).isTrue();
    assertThat(json.json().at("/files/outputs").size()).isZero();
    assertThat(json.json().at("/sites/0/hashes").isMissingNode()).isTrue();
  }

  @Test
  void writesAModelThatWeightsVerifyAndSaysSo() {
    Run run = merge();
    assertThat(run.code()).isZero();
    assertThat(run.err()).isEmpty();
    assertThat(run.out())
        .containsPattern("bound +13 targets: 3 by initializer name, 10 by node path")
        .containsPattern("output +" + out + ", ");
    Run verified =
        graft("verify", "-m", out, "--weights", "--base", Samples.MODEL, "-a", Samples.ADAPTER);
    assertThat(verified.code()).isZero();
  }

  @Test
  void takesEverySpellingOfItsOptions() {
    Run run =
        graft(
            "merge-lora",
            "--model",
            Samples.MODEL,
            "--adapter_path",
            Samples.ADAPTER + ":1",
            "--output_path=" + out,
            "--prefix==model.",
            "-q");
    assertThat(run).isEqualTo(new Run(0, "", ""));
    assertThat(out).exists();
  }

  @Test
  void joinsNamesByAMapFile() throws IOException {
    Path map = Files.writeString(folder.resolve("names.txt"), "bert.pooler.dense -> nowhere\n");
    Run run = merge("--map", map);
    assertThat(run.code()).isEqualTo(3);
    assertThat(run.err()).contains("nowhere");
    Files.writeString(map, "bert.pooler.dense -> model.bert.pooler.dense.weight\n");
    assertThat(merge("--map", map).code()).isZero();
    assertThat(merge("--map", folder.resolve("gone.txt")).err()).contains("gone.txt");
  }

  /** A head of five labels on a base of two, and layers whose biases the exporter left out. */
  @Test
  void tellsWhatChangesInTheGraph() throws IOException {
    Path cases = Path.of("testdata/cases");
    Path labels = cases.resolve("bert-2label-dynamo-labels");
    Path report = folder.resolve("report.json");
    Run run =
        graft(
            "merge",
            "-m",
            labels.resolve("base.onnx"),
            "-a",
            labels.resolve("adapter"),
            "-o",
            out,
            "--report",
            report);
    assertThat(run.code()).isZero();
    assertThat(run.out())
        .contains("shape 'model.classifier.weight': [2, 16] becomes [5, 16]")
        .contains("declared 'logits': dimension -1 of the output becomes 5");
    JsonNode changes = JsonMapper.shared().readTree(Files.readString(report)).path("graphChanges");
    assertThat(changes.size()).isEqualTo(5);
    assertThat(changes.at("/0/kind").asString()).isEqualTo("shape");

    Path zeros = cases.resolve("bert-dynamo-lora-bias-zero");
    Run missing =
        graft(
            "merge",
            "-m",
            zeros.resolve("base.onnx"),
            "-a",
            zeros.resolve("adapter"),
            "-o",
            folder.resolve("zeros.onnx"),
            "--dry-run");
    assertThat(missing.code()).isZero();
    assertThat(missing.out())
        .contains("tensor 'model.bert.pooler.dense.bias': FLOAT32 [16]")
        .contains("more changes of this kind (--json lists all)");
  }

  @Test
  void reportsEverySiteAndEveryFile() throws IOException {
    Path file = folder.resolve("report.json");
    assertThat(merge("--report", file).code()).isZero();
    JsonNode report = JsonMapper.builder().build().readTree(Files.readString(file));
    assertThat(report.propertyNames())
        .containsExactly(
            "schema",
            "verb",
            "tool",
            "dryRun",
            "request",
            "prefix",
            "sites",
            "figures",
            "files",
            "graphChanges",
            "carried",
            "notes",
            "leftOver",
            "warnings");
    assertThat(report.path("schema").asInt()).isEqualTo(1);
    assertThat(report.at("/request/model").asString()).isEqualTo(Samples.MODEL.toString());
    assertThat(report.at("/prefix/to").asString()).isEqualTo("model.");
    assertThat(report.path("sites").size()).isEqualTo(13);
    JsonNode site = report.at("/sites/1");
    assertThat(site.path("target").asString())
        .isEqualTo("bert.encoder.layer.0.attention.self.query");
    assertThat(site.path("kind").asString()).isEqualTo("lora");
    assertThat(site.path("rule").asString()).isEqualTo("node path");
    assertThat(site.at("/tensor/shape/1").asInt()).isEqualTo(32);
    assertThat(site.at("/hashes/before").asString()).matches("[0-9a-f]{64}");
    assertThat(site.at("/hashes/after").asString())
        .matches("[0-9a-f]{64}")
        .isNotEqualTo(site.at("/hashes/before").asString());
    assertThat(report.at("/figures/totalBytes").asLong()).isEqualTo(Files.size(out));
    assertThat(report.at("/figures/writtenBytes").asLong()).isGreaterThanOrEqualTo(Files.size(out));
    assertThat(report.at("/figures/readBytes").asLong())
        .isGreaterThanOrEqualTo(report.at("/figures/touchedBytes").asLong());
    assertThat(report.at("/files/inputs").size()).isEqualTo(3);
    assertThat(report.at("/files/outputs/0/path").asString()).isEqualTo(out.toString());
    assertThat(report.at("/files/outputs/0/sha256").asString()).isEqualTo(sha256(out));
  }

  @Test
  void printsTheSameReportAsJson() {
    Run run = merge("--json");
    assertThat(run.code()).isZero();
    assertThat(run.err()).isEmpty();
    assertThat(run.json().at("/files/outputs/0/sha256").asString()).isEqualTo(sha256(out));
  }

  @Test
  void makesTheSameFileWithAnyNumberOfThreads() throws IOException {
    Path one = folder.resolve("one.onnx");
    assertThat(merge("--threads", "3").code()).isZero();
    assertThat(
            graft("merge", "-m", Samples.MODEL, "-a", Samples.ADAPTER, "-o", one, "--threads", 1)
                .code())
        .isZero();
    assertThat(Files.mismatch(one, out)).isEqualTo(-1);
  }

  private Run merge(Object... more) {
    Object[] args = new Object[7 + more.length];
    Object[] plain = {"merge", "-m", Samples.MODEL, "-a", Samples.ADAPTER, "-o", out};
    System.arraycopy(plain, 0, args, 0, 7);
    System.arraycopy(more, 0, args, 7, more.length);
    return graft(args);
  }

  private static String sha256(Path path) {
    try (InputFile file = InputFile.open(path)) {
      return Sha256.of(file, Progress.NONE);
    }
  }
}
