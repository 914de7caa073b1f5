package dev.graft.fold;

import static org.assertj.core.api.Assertions.assertThat;

import dev.graft.io.Progress;
import dev.graft.match.Binder;
import dev.graft.match.NameMap;
import dev.graft.match.Ties;
import dev.graft.onnx.OnnxModel;
import dev.graft.onnx.proto.NodeProto;
import dev.graft.runtime.SessionSettings;
import dev.graft.testing.GoldenCase;
import dev.graft.testing.GoldenCase.Question;
import dev.graft.verify.Inputs;
import dev.graft.verify.Parity;
import dev.graft.verify.ParityReport;
import dev.graft.verify.Reference;
import dev.graft.verify.Tolerance;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Folds adapters that PEFT made into models that others exported, and asks ONNX Runtime. */
class GoldenCasesTest {

  @TempDir Path folder;

  static List<GoldenCase> cases() {
    return GoldenCase.naming("merge").stream().filter(found -> !found.hasSeveralFiles()).toList();
  }

  private static ParityReport parity(Path model, GoldenCase golden, String tensor) {
    Question plain = new Question("base.onnx", "inputs.safetensors", "golden.safetensors");
    return parity(model, golden, tensor, plain);
  }

  private static ParityReport parity(
      Path model, GoldenCase golden, String tensor, Question question) {
    Tolerance tolerance = Tolerance.of(OptionalDouble.of(golden.tolerance()), OptionalDouble.of(0));
    return new Parity(SessionSettings.defaults(), tolerance)
        .compare(
            model,
            new Reference.Stored(golden.file(question.golden()), Optional.of(tensor)),
            new Inputs.Stored(golden.file(question.inputs())));
  }

  @ParameterizedTest
  @MethodSource("cases")
  void mergedModelGivesWhatPeftGives(GoldenCase golden) {
    golden.adapters().forEach((adapter, truth) -> foldAndCompare(golden, adapter, truth));
  }

  private void foldAndCompare(GoldenCase golden, String adapter, String truth) {
    Path output = folder.resolve(adapter.replace('/', '-')).resolve("merged.onnx");
    MergeRequest request = MergeRequest.of(golden.file("base.onnx"), golden.file(adapter), output);
    MergePlan plan = MergePlan.of(request);
    new Merge(plan, "graft test", Progress.NONE).run(2);
    ParityReport found = parity(output, golden, truth);
    assertThat(found.holds()).as(found.toString()).isTrue();
    if (Files.exists(golden.file("fresh-inputs.safetensors"))) {
      Question fresh = new Question("base.onnx", "fresh-inputs.safetensors", "golden.safetensors");
      found = parity(output, golden, "fresh_" + truth, fresh);
      assertThat(found.holds()).as("with new tokens: " + found).isTrue();
    }
    if (golden.keepsItsShape()) {
      assertThat(parity(request.model(), golden, truth).holds())
          .as("the adapter moves the outputs by more than the tolerance")
          .isFalse();
    }
    assertNothingElseChanged(golden, plan, output);
    assertThat(new FoldCheck(plan, output, Progress.NONE).run().differences()).isEmpty();
  }

  @Test
  void filesOfOneModelAreFoldedInOneRun() {
    GoldenCase golden =
        GoldenCase.naming("merge").stream().filter(GoldenCase::hasSeveralFiles).findFirst().get();
    List<MergeRequest> requests =
        golden.questions().stream()
            .map(Question::model)
            .distinct()
            .map(n -> MergeRequest.of(golden.file(n), golden.file("adapter"), folder.resolve(n)))
            .toList();
    List<Merge> merges =
        MergePlan.of(requests).stream().map(p -> new Merge(p, "test", Progress.NONE)).toList();
    new MergeSet(merges).run(2);
    for (Question question : golden.questions()) {
      Path output = folder.resolve(question.model());
      ParityReport found = parity(output, golden, golden.truth(), question);
      assertThat(found.holds()).as(question + ": " + found).isTrue();
      assertThat(parity(golden.file(question.model()), golden, golden.truth(), question).holds())
          .as("the adapter moves " + question)
          .isFalse();
    }
  }

  static List<GoldenCase> tied() {
    return cases().stream().filter(found -> found.name().contains("-tied-")).toList();
  }

  /** PEFT's merge writes into the tensor that both ends share, its active adapter does not. */
  @ParameterizedTest
  @MethodSource("tied")
  void tiesAreLeftAsPeftsMergeLeavesThemIfAsked(GoldenCase golden) {
    Path output = folder.resolve("merged.onnx");
    Binder.Options options = new Binder.Options(Optional.empty(), NameMap.EMPTY, Ties.PEFT_MERGE);
    MergePlan plan =
        MergePlan.of(
            new MergeRequest(
                golden.file("base.onnx"),
                golden.file("adapter"),
                1,
                output,
                options,
                MergeRequest.Repeat.REFUSED));
    new Merge(plan, "graft test", Progress.NONE).run(2);
    ParityReport found = parity(output, golden, "merged");
    assertThat(found.holds()).as(found.toString()).isTrue();
    assertThat(new FoldCheck(plan, output, Progress.NONE).run().differences()).isEmpty();
  }

  private static void assertNothingElseChanged(GoldenCase golden, MergePlan plan, Path output) {
    List<NodeProto> before = plan.model().proto().getGraph().getNodeList();
    List<NodeProto> after = OnnxModel.open(output).proto().getGraph().getNodeList();
    if (golden.needsNewNodes()) {
      assertThat(names(after)).containsSubsequence(names(before)).hasSizeGreaterThan(before.size());
      assertThat(plan.graphChanges()).anyMatch(c -> c.kind().equals("node"));
    } else if (golden.splitsWeights()) {
      assertThat(names(after)).isEqualTo(names(before));
    } else {
      assertThat(after).isEqualTo(before);
    }
  }

  private static List<String> names(List<NodeProto> nodes) {
    return nodes.stream().map(node -> node.getOpType() + " " + node.getName()).toList();
  }

  @Test
  void realEncoderGivesPeftsEmbeddings() {
    Path golden = Path.of("testdata/minilm-sentiment.golden.safetensors");
    MergeRequest request =
        MergeRequest.of(
            Path.of("target/models/minilm/all-minilm-l6-v2.onnx"),
            Path.of("testdata/minilm-sentiment"),
            folder.resolve("merged.onnx"));
    new Merge(MergePlan.of(request), "graft test", Progress.NONE).run(2);
    Tolerance tolerance = Tolerance.of(OptionalDouble.of(5e-5), OptionalDouble.of(0));
    ParityReport report =
        new Parity(SessionSettings.defaults(), tolerance)
            .compare(
                request.output(),
                new Reference.Stored(golden, Optional.of("merged")),
                new Inputs.Stored(golden));
    assertThat(report.holds()).as(report.toString()).isTrue();
  }
}
