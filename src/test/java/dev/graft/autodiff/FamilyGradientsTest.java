package dev.graft.autodiff;

import static org.assertj.core.api.Assertions.assertThat;

import dev.graft.adapter.PeftAdapter;
import dev.graft.error.UnsupportedException;
import dev.graft.fold.Rewrite;
import dev.graft.inject.AdapterName;
import dev.graft.inject.Injection;
import dev.graft.inject.Trainable;
import dev.graft.io.Progress;
import dev.graft.match.Binder;
import dev.graft.onnx.OnnxModel;
import dev.graft.onnx.proto.ModelProto;
import dev.graft.runtime.HostTensor;
import dev.graft.runtime.Session;
import dev.graft.runtime.SessionSettings;
import dev.graft.safetensors.SafetensorsFile;
import dev.graft.safetensors.SafetensorsTensor;
import dev.graft.testing.GoldenCase;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Whole graphs of every family and exporter: the gradient of a random combination of the outputs
 * against a difference quotient along a random direction through all trainable tensors at once. No
 * gradient is stopped here, so that DoRA's norm is differentiated as well.
 */
class FamilyGradientsTest {

  /** What is left of float32 in a difference quotient. */
  private static final double TOLERANCE = 1e-2;

  @TempDir Path folder;

  static Stream<GoldenCase> cases() {
    return GoldenCase.naming("merge").stream()
        .filter(found -> !found.hasSeveralFiles())
        .filter(found -> !found.name().startsWith("olive-"))
        // Differences drown in the rounding of a trainable tensor that is a half itself.
        .filter(found -> !found.name().matches(".*-half|.*-(bfloat|half)-adapter"));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("cases")
  void gradientIsTheSlope(GoldenCase golden) throws IOException {
    Path branches = folder.resolve("branches.onnx");
    Injection injection = injected(golden);
    injection.write("graft test", new Rewrite.Output(branches, 2, Progress.NONE));
    assertSlope(golden, injection, ModelProto.parseFrom(Files.readAllBytes(branches)));
  }

  private static Injection injected(GoldenCase golden) {
    String adapter = golden.adapters().keySet().iterator().next();
    try {
      return Injection.of(
          OnnxModel.open(golden.file("base.onnx")),
          PeftAdapter.open(golden.file(adapter)),
          Binder.Options.DERIVED,
          AdapterName.DEFAULT);
    } catch (UnsupportedException refused) {
      return Assumptions.abort(refused.getMessage());
    }
  }

  private void assertSlope(GoldenCase golden, Injection injection, ModelProto branches)
      throws IOException {
    List<String> names =
        Combination.read(branches, injection.trainables().stream().map(Trainable::name).toList());
    Assumptions.assumeFalse(names.isEmpty(), "the adapter has no branches, only whole tensors");
    Assumptions.assumeFalse(Combination.isExternal(branches, names), "the branches lie in a file");
    Combination combination = new Combination(Combination.withoutStops(branches), names);
    GradientGraph graph =
        Differentiation.of(new Objective(combination.model(), Combination.LOSS, names));
    Path file = folder.resolve("training.onnx");
    Files.write(file, RowLoss.withOutputs(graph.model(), graph.gradients().values()).toByteArray());
    try (Session session = Session.open(file, SessionSettings.defaults())) {
      Slope slope = new Slope(session, graph, combination.output());
      Map<String, HostTensor> point = feeds(golden, session, combination);
      assertThat(slope.error(point)).as(golden.name()).isLessThan(TOLERANCE);
    }
  }

  private static Map<String, HostTensor> feeds(
      GoldenCase golden, Session session, Combination combination) {
    Map<String, HostTensor> feeds = new HashMap<>(combination.values());
    feeds.putAll(CaseInputs.read(golden, session));
    SafetensorsTensor output =
        SafetensorsFile.open(golden.file("golden.safetensors"))
            .tensor(golden.truth())
            .orElseThrow();
    feeds.put(Combination.WEIGHTS, Slope.random(output.shape(), 1));
    return feeds;
  }
}
