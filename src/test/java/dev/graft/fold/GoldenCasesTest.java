package dev.graft.fold;

import static org.assertj.core.api.Assertions.assertThat;

import dev.graft.io.Progress;
import dev.graft.onnx.OnnxModel;
import dev.graft.runtime.SessionSettings;
import dev.graft.verify.Inputs;
import dev.graft.verify.Parity;
import dev.graft.verify.ParityReport;
import dev.graft.verify.Reference;
import dev.graft.verify.Tolerance;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Folds adapters that PEFT made into models that others exported, and asks ONNX Runtime. */
class GoldenCasesTest {

  private static final Pattern ATOL = Pattern.compile("\"atol\": ([0-9.e-]+)");

  @TempDir Path folder;

  static List<Path> cases() throws IOException {
    try (Stream<Path> all = Files.list(Path.of("testdata/cases"))) {
      return all.filter(c -> Files.exists(c.resolve("golden.safetensors")))
          .filter(c -> Files.exists(c.resolve("adapter")))
          .sorted()
          .toList();
    }
  }

  private static ParityReport parity(Path model, Path golden, String tensor, double atol) {
    Tolerance tolerance = Tolerance.of(OptionalDouble.of(atol), OptionalDouble.of(0));
    return new Parity(SessionSettings.defaults(), tolerance)
        .compare(
            model,
            new Reference.Stored(golden, Optional.of(tensor)),
            new Inputs.Stored(golden.resolveSibling("inputs.safetensors")));
  }

  @ParameterizedTest
  @MethodSource("cases")
  void mergedModelGivesWhatPeftGives(Path golden) throws IOException {
    Matcher atol = ATOL.matcher(Files.readString(golden.resolve("case.json")));
    double tolerance = atol.find() ? Double.parseDouble(atol.group(1)) : 1e-5;
    MergeRequest request =
        MergeRequest.of(
            golden.resolve("base.onnx"), golden.resolve("adapter"), folder.resolve("merged.onnx"));
    MergePlan plan = MergePlan.of(request);
    new Merge(plan, "graft test", Progress.NONE).run(2);
    Path expected = golden.resolve("golden.safetensors");
    assertThat(parity(request.output(), expected, "merged", tolerance).holds()).isTrue();
    assertThat(parity(request.model(), expected, "merged", tolerance).holds())
        .as("the adapter moves the outputs by more than the tolerance")
        .isFalse();
    assertThat(OnnxModel.open(request.output()).proto().getGraph().getNodeList())
        .isEqualTo(plan.model().proto().getGraph().getNodeList());
    assertThat(new FoldCheck(plan, request.output(), Progress.NONE).run().differences()).isEmpty();
  }

  @Test
  void realEncoderGivesPeftsEmbeddings() throws IOException {
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
