package dev.graft.inject;

import static org.assertj.core.api.Assertions.assertThat;

import dev.graft.adapter.PeftAdapter;
import dev.graft.error.UnsupportedException;
import dev.graft.fold.Rewrite;
import dev.graft.io.Progress;
import dev.graft.match.Binder;
import dev.graft.onnx.OnnxModel;
import dev.graft.runtime.SessionSettings;
import dev.graft.testing.GoldenCase;
import dev.graft.verify.Inputs;
import dev.graft.verify.Parity;
import dev.graft.verify.ParityReport;
import dev.graft.verify.Reference;
import dev.graft.verify.Tolerance;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Inserts adapters that PEFT made into models that others exported, and asks ONNX Runtime. */
class GoldenInsertTest {

  @TempDir Path folder;

  static List<GoldenCase> cases() {
    return GoldenCase.naming("merge").stream()
        .filter(found -> !found.hasSeveralFiles())
        // These have slots for an adapter, which it would act beside.
        .filter(found -> !found.name().startsWith("olive-"))
        .toList();
  }

  /** Bases that only take branches, because their weights are quantised. */
  static List<GoldenCase> quantised() {
    List<GoldenCase> folded = GoldenCase.naming("merge");
    return GoldenCase.naming("insert").stream().filter(c -> !folded.contains(c)).toList();
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("quantised")
  void branchesBesideQuantisedWeightsGiveWhatPeftGives(GoldenCase golden) {
    assertThat(golden.tolerance()).isLessThanOrEqualTo(0.05);
    insertAndCompare(golden, "adapter", "active");
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("cases")
  void modelWithBranchesGivesWhatPeftGives(GoldenCase golden) {
    golden
        .adapters()
        .forEach((adapter, truth) -> {
          try {
            insertAndCompare(golden, adapter, truth);
          } catch (UnsupportedException refused) {
            assertThat(refused).hasMessageContaining("no branch is known");
            assertThat(golden.name()).as(refused.getMessage()).containsAnyOf("expert", "bdlora");
          }
        });
  }

  private void insertAndCompare(GoldenCase golden, String adapter, String truth) {
    Path output = folder.resolve(adapter.replace('/', '-')).resolve("branches.onnx");
    Injection injection =
        Injection.of(
            OnnxModel.open(golden.file("base.onnx")),
            PeftAdapter.open(golden.file(adapter)),
            Binder.Options.DERIVED,
            AdapterName.DEFAULT);
    injection.write("graft test", new Rewrite.Output(output, 2, Progress.NONE));
    Tolerance tolerance = Tolerance.of(OptionalDouble.of(golden.tolerance()), OptionalDouble.of(0));
    ParityReport found =
        new Parity(SessionSettings.defaults(), tolerance)
            .compare(
                output,
                new Reference.Stored(golden.file("golden.safetensors"), Optional.of(truth)),
                new Inputs.Stored(golden.file("inputs.safetensors")));
    assertThat(found.holds()).as(found.toString()).isTrue();
  }
}
