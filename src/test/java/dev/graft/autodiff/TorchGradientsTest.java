package dev.graft.autodiff;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import dev.graft.adapter.PeftAdapter;
import dev.graft.autodiff.Objective.Activations;
import dev.graft.fold.Rewrite;
import dev.graft.inject.AdapterName;
import dev.graft.inject.Injection;
import dev.graft.inject.Trainable;
import dev.graft.io.Progress;
import dev.graft.match.Binder;
import dev.graft.match.Turn;
import dev.graft.onnx.OnnxModel;
import dev.graft.onnx.proto.ModelProto;
import dev.graft.onnx.proto.StringStringEntryProto;
import dev.graft.onnx.proto.TensorProto;
import dev.graft.runtime.HostTensor;
import dev.graft.runtime.Session;
import dev.graft.runtime.SessionSettings;
import dev.graft.safetensors.SafetensorsData;
import dev.graft.safetensors.SafetensorsFile;
import dev.graft.safetensors.SafetensorsTensor;
import dev.graft.testing.GoldenCase;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Every family and exporter: the gradient of a random combination of the outputs against the one
 * that torch computes through PEFT, for each tensor, with everything kept and with blocks computed
 * twice.
 */
class TorchGradientsTest {

  private static final double TOLERANCE = 1e-5;

  @TempDir Path folder;

  static Stream<GoldenCase> cases() {
    return GoldenCase.naming("merge").stream()
        .filter(found -> Files.exists(found.file("gradients.safetensors")));
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
    List<String> names = injection.trainables().stream().map(Trainable::name).distinct().toList();
    ModelProto model = ModelProto.parseFrom(Files.readAllBytes(branches));
    Combination combination = new Combination(inlined(model, names), names);
    SafetensorsFile truth = SafetensorsFile.open(golden.file("gradients.safetensors"));
    for (Activations activations : Activations.values()) {
      GradientGraph graph =
          Differentiation.of(
              new Objective(combination.model(), Combination.LOSS, names, activations));
      requireTorchs(injection.trainables(), found(golden, combination, graph), truth);
    }
  }

  /** The model with these tensors in it that may be kept beside it. */
  private ModelProto inlined(ModelProto model, List<String> names) throws IOException {
    ModelProto.Builder result = model.toBuilder();
    for (TensorProto.Builder tensor : result.getGraphBuilder().getInitializerBuilderList()) {
      if (names.contains(tensor.getName()) && tensor.getExternalDataCount() > 0) {
        Map<String, String> place =
            tensor.getExternalDataList().stream()
                .collect(
                    Collectors.toMap(
                        StringStringEntryProto::getKey, StringStringEntryProto::getValue));
        Path file = folder.resolve(requireNonNull(place.get("location")));
        int offset = Integer.parseInt(place.getOrDefault("offset", "0"));
        int length = Integer.parseInt(requireNonNull(place.get("length")));
        byte[] bytes = Arrays.copyOfRange(Files.readAllBytes(file), offset, offset + length);
        tensor.clearExternalData().clearDataLocation().setRawData(ByteString.copyFrom(bytes));
      }
    }
    return result.build();
  }

  private Map<String, HostTensor> found(
      GoldenCase golden, Combination combination, GradientGraph graph) throws IOException {
    Path file = folder.resolve("training.onnx");
    Files.write(file, RowLoss.withOutputs(graph.model(), graph.gradients().values()).toByteArray());
    SafetensorsTensor weights =
        SafetensorsFile.open(golden.file("gradients.safetensors")).tensor("weights").orElseThrow();
    Map<String, HostTensor> found = new HashMap<>();
    try (Session session = Session.open(file, SessionSettings.defaults())) {
      Map<String, HostTensor> feeds = new HashMap<>(combination.values());
      feeds.putAll(CaseInputs.read(golden, session));
      feeds.put(
          Combination.WEIGHTS,
          HostTensor.ofFloats(weights.shape(), SafetensorsData.readFloats(weights)));
      List<String> wanted = new ArrayList<>(graph.gradients().values());
      Map<String, HostTensor> outputs = session.run(feeds, wanted, Arena.ofAuto());
      graph
          .gradients()
          .forEach((name, gradient) -> found.put(name, requireNonNull(outputs.get(gradient))));
    }
    return found;
  }

  private static void requireTorchs(
      List<Trainable> trainables, Map<String, HostTensor> found, SafetensorsFile truth) {
    Set<String> keys = new HashSet<>(truth.tensors().keySet());
    keys.remove("weights");
    assertThat(trainables.stream().map(Trainable::key)).containsAll(keys);
    for (Trainable trainable : trainables) {
      assertThat(trainable.share().ofInitializer().isAll() && trainable.share().ofSource().isAll())
          .as(trainable.key())
          .isTrue();
      float[] expected = SafetensorsData.readFloats(truth.tensor(trainable.key()).orElseThrow());
      HostTensor gradient = requireNonNull(found.get(trainable.name()));
      float[] actual =
          trainable.turn() == Turn.AS_IS
              ? gradient.toFloats()
              : GoldenGradientsTest.turned(gradient.toFloats(), gradient.shape());
      assertThat(GoldenGradientsTest.difference(actual, expected))
          .as(trainable.key())
          .isLessThan(TOLERANCE);
    }
  }
}
