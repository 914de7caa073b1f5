package dev.graft.inject;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.graft.adapter.AdapterTarget;
import dev.graft.adapter.LoraPair;
import dev.graft.adapter.NewConfig;
import dev.graft.adapter.PeftAdapter;
import dev.graft.adapter.Replacement;
import dev.graft.error.BindingException;
import dev.graft.error.FormatException;
import dev.graft.error.UnsupportedException;
import dev.graft.error.UsageException;
import dev.graft.fold.Rewrite;
import dev.graft.graph.ModelGraph;
import dev.graft.io.InputFile;
import dev.graft.io.Progress;
import dev.graft.match.Binder;
import dev.graft.match.Prefix;
import dev.graft.onnx.OnnxModel;
import dev.graft.runtime.HostTensor;
import dev.graft.runtime.Session;
import dev.graft.runtime.SessionSettings;
import dev.graft.safetensors.SafetensorsData;
import dev.graft.safetensors.SafetensorsTensor;
import dev.graft.tensor.Shape;
import dev.graft.testing.Graphs;
import dev.graft.testing.Node;
import dev.graft.testing.Values;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class FreshAdapterTest {

  private static final Values Q = Values.random(1, 4, 6);
  private static final Values HEAD = Values.random(2, 3, 6);
  private static final Values BIAS = Values.random(3, 3);

  @TempDir Path folder;

  /** Two layers and a head with a bias; the first layer's weight lies as MatMul wants it. */
  private static Graphs graphs() {
    return Graphs.create()
        .input("x", -1, 4)
        .output("y", -1, 3)
        .weight("m.layers.0.q_proj.weight", Q)
        .weight("m.layers.1.q_proj.weight", Values.random(4, 6, 6))
        .weight("classifier.weight", HEAD)
        .weight("classifier.bias", BIAS)
        .node(
            Node.of("MatMul", "x", "m.layers.0.q_proj.weight")
                .to("h")
                .named("/m/layers.0/q_proj/MatMul"))
        .node(Node.of("Relu", "h").to("r"))
        .node(Node.of("Gemm", "r", "m.layers.1.q_proj.weight").to("g").with("transB", 1))
        .node(Node.of("Relu", "g").to("s"))
        .node(
            Node.of("Gemm", "s", "classifier.weight", "classifier.bias").to("y").with("transB", 1));
  }

  private FreshAdapter maker() {
    Path model = graphs().write(folder.resolve("base"));
    return new FreshAdapter(ModelGraph.of(OnnxModel.open(model)), Prefix.NONE);
  }

  private static NewConfig config(String... targets) {
    return NewConfig.defaults().r(2).targetModules(List.of(targets));
  }

  private PeftAdapter write(NewConfig config) {
    return maker().write(config, folder.resolve("adapter"), 7);
  }

  private static float[] values(SafetensorsTensor tensor) {
    try (InputFile file = InputFile.open(tensor.source().file())) {
      return SafetensorsData.readFloats(tensor, file);
    }
  }

  private static LoraPair pair(PeftAdapter adapter, String module) {
    return adapter.targets().stream()
        .filter(t -> t.target().equals(module))
        .map(LoraPair.class::cast)
        .findFirst()
        .orElseThrow();
  }

  @Test
  void namesWhatThereIsWhereNothingIsTargeted() {
    assertThatThrownBy(() -> write(config("v_proj")))
        .isInstanceOf(BindingException.class)
        .hasMessageContaining("[v_proj] matches no module; there are q_proj, classifier");
    assertThat(folder.resolve("adapter")).doesNotExist();
  }

  @Test
  void refusesToSaveAModuleThatIsNotThere() {
    assertThatThrownBy(() -> write(config("q_proj").modulesToSave(List.of("score"))))
        .isInstanceOf(BindingException.class)
        .hasMessageContaining("modules_to_save 'score' matches no module");
    assertThat(folder.resolve("adapter")).doesNotExist();
  }

  @ParameterizedTest
  @ValueSource(strings = {"pissa", "olora", "loftq", "eva"})
  void refusesBeginningsThatChangeTheBase(String how) {
    assertThatThrownBy(() -> write(config("q_proj").initLoraWeights(how)))
        .isInstanceOf(UnsupportedException.class)
        .hasMessageContaining(how);
  }

  @Test
  void refusesWhatPeftHasNoSuch() {
    assertThatThrownBy(() -> write(config("q_proj").initLoraWeights("xavier")))
        .isInstanceOf(UsageException.class);
    assertThatThrownBy(() -> write(config("q_proj").r(0))).isInstanceOf(FormatException.class);
    assertThatThrownBy(() -> write(config("q_proj").r(3).initLoraWeights("orthogonal")))
        .isInstanceOf(UsageException.class)
        .hasMessageContaining("even rank");
    assertThatThrownBy(() -> write(config("q_proj").useDora().initLoraWeights("false")))
        .isInstanceOf(UnsupportedException.class);
  }

  @Test
  void refusesFactorsThatCannotBeHeld() {
    assertThatThrownBy(() -> write(config("q_proj").r(Integer.MAX_VALUE)))
        .isInstanceOf(UnsupportedException.class)
        .hasMessageContaining("choose a smaller rank");
    assertThat(folder.resolve("adapter")).doesNotExist();
  }

  @Test
  void overwritesNoAdapter() throws IOException {
    Files.createDirectories(folder.resolve("adapter"));
    Path config = Files.writeString(folder.resolve("adapter/adapter_config.json"), "mine");
    assertThatThrownBy(() -> write(config("q_proj"))).isInstanceOf(UsageException.class);
    assertThat(config).hasContent("mine");
  }

  @Test
  void targetsAllLinearLayersButTheHead() {
    assertThat(maker().allLinear()).containsExactly("m.layers.0.q_proj", "m.layers.1.q_proj");
  }

  @Test
  void countsTheParametersOfTheBase() {
    assertThat(maker().baseParameters()).isEqualTo(4 * 6 + 6 * 6 + 3 * 6 + 3);
  }

  @Test
  void targetsSomeLayersAndByExpression() {
    PeftAdapter one = write(config("q_proj").layersToTransform(List.of(1)));
    assertThat(one.targets())
        .extracting(AdapterTarget::target)
        .containsExactly("m.layers.1.q_proj");
    PeftAdapter other =
        maker()
            .write(
                NewConfig.defaults()
                    .targetModules("m\\.layers\\.[01]\\..*")
                    .excludeModules(List.of("layers.1.q_proj")),
                folder.resolve("other"),
                7);
    assertThat(other.targets())
        .extracting(AdapterTarget::target)
        .containsExactly("m.layers.0.q_proj");
  }

  @Test
  void beginsAsPeftDoesAndDoesNothingYet() {
    PeftAdapter adapter = write(config("q_proj"));
    LoraPair pair = pair(adapter, "m.layers.0.q_proj");
    assertThat(pair.a().shape()).isEqualTo(Shape.of(2, 4));
    assertThat(pair.b().shape()).isEqualTo(Shape.of(6, 2));
    assertThat(values(pair.b())).containsOnly(0f);
    for (float a : values(pair.a())) {
      assertThat(a).isBetween(-0.5f, 0.5f).isNotZero();
    }
    assertThat(run(adapter)).containsExactly(run(Path.of("base/model.onnx")));
  }

  @Test
  void drawsEachModuleTheSameWhateverElseIsTargeted() {
    float[] first = values(pair(write(config("q_proj")), "m.layers.1.q_proj").a());
    PeftAdapter alone = maker().write(config("layers.1.q_proj"), folder.resolve("alone"), 7);
    assertThat(values(pair(alone, "m.layers.1.q_proj").a())).containsExactly(first);
    PeftAdapter other = maker().write(config("layers.1.q_proj"), folder.resolve("other"), 8);
    assertThat(values(pair(other, "m.layers.1.q_proj").a())).isNotEqualTo(first);
  }

  @Test
  void drawsFromANormalDistribution() {
    float[] a = FactorsOf.gaussian(64, 512);
    double mean = 0;
    double square = 0;
    for (float v : a) {
      mean += v / a.length;
      square += (double) v * v / a.length;
    }
    assertThat(mean).isCloseTo(0, within(5e-4));
    assertThat(Math.sqrt(square)).isCloseTo(1.0 / 64, within(2e-4));
  }

  @Test
  void makesOrthogonalFactorsWhoseRowSpacesDoNotMeet() {
    FreshFactors.Factors factors =
        new FreshFactors(FreshFactors.Initialisation.ORTHOGONAL, 3)
            .linear("m", new FreshFactors.Sizes(4, 5, 6));
    for (int o = 0; o < 6; o++) {
      for (int i = 0; i < 5; i++) {
        double dot = 0;
        for (int r = 0; r < 4; r++) {
          dot += factors.b()[o * 4 + r] * factors.a()[r * 5 + i];
        }
        assertThat(dot).as("B·A[%d, %d]", o, i).isCloseTo(0, within(1e-7));
      }
    }
    assertThat(factors.a()).doesNotContain(0f);
    assertThat(factors.b()).doesNotContain(0f);
  }

  @Test
  void savesModulesWithTheValuesOfTheBase() {
    PeftAdapter adapter = write(config("q_proj").modulesToSave(List.of("classifier")));
    assertThat(adapter.targets())
        .filteredOn(Replacement.class::isInstance)
        .extracting(AdapterTarget::target)
        .containsExactlyInAnyOrder("classifier.bias", "classifier.weight");
    adapter.targets().stream()
        .filter(Replacement.class::isInstance)
        .map(Replacement.class::cast)
        .forEach(saved -> {
          Values expected = saved.parameter().endsWith("bias") ? BIAS : HEAD;
          assertThat(values(saved.value())).containsExactly(expected.floats());
        });
  }

  @Test
  void turnsASavedWeightThatLiesAsMatMulWantsIt() {
    PeftAdapter adapter =
        write(config("layers.1.q_proj").modulesToSave(List.of("layers.0.q_proj")));
    Replacement saved =
        adapter.targets().stream()
            .filter(Replacement.class::isInstance)
            .map(Replacement.class::cast)
            .findFirst()
            .orElseThrow();
    float[] values = values(saved.value());
    assertThat(saved.value().shape()).isEqualTo(Shape.of(6, 4));
    assertThat(values[1]).isEqualTo(Q.floats()[6]);
    assertThat(values[4]).isEqualTo(Q.floats()[1]);
  }

  @Test
  void measuresTheMagnitudesSoThatDoraDoesNothingYet() {
    PeftAdapter adapter = write(config("q_proj").useDora());
    float[] base = run(Path.of("base/model.onnx"));
    float[] dora = run(adapter);
    for (int i = 0; i < base.length; i++) {
      assertThat(dora[i]).isCloseTo(base[i], within(1e-6f));
    }
    assertThat(pair(adapter, "m.layers.0.q_proj").magnitude().orElseThrow().shape())
        .isEqualTo(Shape.of(6));
  }

  @Test
  void leavesOffWhatTheFileHasInFront() {
    Path model = graphs().write(folder.resolve("base"));
    PeftAdapter adapter =
        new FreshAdapter(ModelGraph.of(OnnxModel.open(model)), Prefix.parse("=m."))
            .write(config("q_proj"), folder.resolve("adapter"), 7);
    assertThat(adapter.targets())
        .extracting(AdapterTarget::target)
        .containsExactly("layers.0.q_proj", "layers.1.q_proj");
  }

  private float[] run(PeftAdapter adapter) {
    Path output = folder.resolve("branches.onnx");
    Injection.of(
            OnnxModel.open(folder.resolve("base/model.onnx")),
            adapter,
            Binder.Options.DERIVED,
            AdapterName.DEFAULT)
        .write("graft test", new Rewrite.Output(output, 1, Progress.NONE));
    return run(output);
  }

  private float[] run(Path model) {
    Map<String, HostTensor> feeds =
        Map.of("x", HostTensor.ofFloats(Shape.of(2, 4), Values.random(9, 2, 4).floats()));
    SessionSettings plain =
        SessionSettings.defaults().withOptimisation(SessionSettings.Optimisation.NONE);
    try (Session session = Session.open(folder.resolve(model), plain)) {
      return session.run(feeds).values().iterator().next().toFloats();
    }
  }

  /** Factors without a model around them. */
  private static final class FactorsOf {
    static float[] gaussian(int rank, int in) {
      return new FreshFactors(FreshFactors.Initialisation.GAUSSIAN, 5)
          .linear("m", new FreshFactors.Sizes(rank, in, 1))
          .a();
    }
  }
}
