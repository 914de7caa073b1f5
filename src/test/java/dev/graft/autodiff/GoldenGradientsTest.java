package dev.graft.autodiff;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;

import dev.graft.adapter.PeftAdapter;
import dev.graft.fold.Rewrite;
import dev.graft.inject.AdapterName;
import dev.graft.inject.Injection;
import dev.graft.inject.Trainable;
import dev.graft.io.Progress;
import dev.graft.match.Binder;
import dev.graft.match.Turn;
import dev.graft.onnx.OnnxModel;
import dev.graft.onnx.proto.ModelProto;
import dev.graft.runtime.HostTensor;
import dev.graft.runtime.Session;
import dev.graft.runtime.SessionSettings;
import dev.graft.safetensors.SafetensorsData;
import dev.graft.safetensors.SafetensorsFile;
import dev.graft.tensor.Shape;
import dev.graft.testing.GoldenCase;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The gradients of a first batch against those that torch computes through PEFT. */
class GoldenGradientsTest {

  private static final double TOLERANCE = 1e-5;

  @TempDir Path folder;

  static Stream<GoldenCase> cases() {
    return GoldenCase.naming("train").stream()
        .filter(found -> Files.exists(found.file("train/grads.safetensors")));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("cases")
  void gradientsAreTorchs(GoldenCase golden) throws IOException {
    Path branches = folder.resolve("branches.onnx");
    Injection injection =
        Injection.of(
            OnnxModel.open(golden.file("base.onnx")),
            PeftAdapter.open(golden.file("adapter")),
            Binder.Options.DERIVED,
            AdapterName.DEFAULT);
    injection.write("graft test", new Rewrite.Output(branches, 2, Progress.NONE));
    Batch batch = Batch.read(golden);
    ModelProto forward =
        RowLoss.addTo(ModelProto.parseFrom(Files.readAllBytes(branches)), "logits");
    List<String> names = injection.trainables().stream().map(Trainable::name).toList();
    GradientGraph graph = Differentiation.of(new Objective(forward, RowLoss.LOSS, names));
    Path file = folder.resolve("training.onnx");
    Files.write(file, RowLoss.withOutputs(graph.model(), graph.gradients().values()).toByteArray());
    List<String> wanted = new ArrayList<>(graph.gradients().values());
    Map<String, HostTensor> found;
    try (Session session = Session.open(file, SessionSettings.defaults())) {
      found = session.run(batch.feeds(), wanted, Arena.ofAuto());
    }
    SafetensorsFile truth = SafetensorsFile.open(golden.file("train/grads.safetensors"));
    assertThat(injection.trainables()).isNotEmpty();
    for (Trainable trainable : injection.trainables()) {
      // Whole tensors go by other names in torch: modules_to_save and base_layer stand in between.
      if (truth.tensor(torchKey(trainable.key())).isEmpty()) {
        continue;
      }
      float[] expected =
          SafetensorsData.readFloats(truth.tensor(torchKey(trainable.key())).orElseThrow());
      HostTensor gradient = requireNonNull(found.get(graph.gradients().get(trainable.name())));
      float[] actual = gradient.toFloats();
      if (trainable.turn() == Turn.AS_IS) {
        assertThat(difference(actual, expected)).as(trainable.key()).isLessThan(TOLERANCE);
      } else {
        assertThat(difference(turned(actual, gradient.shape()), expected))
            .as(trainable.key())
            .isLessThan(TOLERANCE);
      }
    }
  }

  /** PEFT names a parameter otherwise than its saved tensor in two cases. */
  private static String torchKey(String saved) {
    if (saved.contains(".classifier.")) {
      return saved.replace(".classifier.", ".classifier.modules_to_save.");
    }
    return saved.endsWith("lora_magnitude_vector") ? saved + ".weight" : saved;
  }

  /** The length of the difference relative to that of the expected gradient. */
  static double difference(float[] actual, float[] expected) {
    assertThat(actual).hasSameSizeAs(expected);
    double error = 0;
    double size = 0;
    for (int i = 0; i < expected.length; i++) {
      error += Math.pow((double) actual[i] - expected[i], 2);
      size += Math.pow(expected[i], 2);
    }
    return Math.sqrt(error / size);
  }

  static float[] turned(float[] values, Shape shape) {
    int rows = Math.toIntExact(shape.dim(0));
    int columns = Math.toIntExact(shape.dim(1));
    float[] turned = new float[values.length];
    for (int i = 0; i < rows; i++) {
      for (int j = 0; j < columns; j++) {
        turned[j * rows + i] = values[i * columns + j];
      }
    }
    return turned;
  }
}
