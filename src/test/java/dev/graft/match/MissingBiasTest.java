package dev.graft.match;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.graft.adapter.PeftAdapter;
import dev.graft.graph.ModelGraph;
import dev.graft.onnx.OnnxModel;
import dev.graft.onnx.StoredTensor;
import dev.graft.tensor.DType;
import dev.graft.testing.Adapters;
import dev.graft.testing.Folding;
import dev.graft.testing.Graphs;
import dev.graft.testing.Node;
import dev.graft.testing.Values;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Biases that the exporter left out because they were zeros. */
class MissingBiasTest {

  private static final Values WEIGHT = Values.random(1, 3, 4);
  private static final Values BIAS = Values.random(2, 3);

  @TempDir Path folder;

  private static Graphs graph() {
    return Graphs.create().input("x", -1, 4).output("y", -1, 3);
  }

  private static Graphs matMul(String output) {
    return graph()
        .weight("w", WEIGHT.transposed())
        .node(Node.of("MatMul", "x", "w").to(output).named("/fc/MatMul"));
  }

  private static Adapters bias() {
    return Adapters.create().bias("fc.bias", BIAS);
  }

  /** Sees that every row of an output moved by a vector. */
  private static void shifts(Folding folding, String output, Values by) {
    float[] was = folding.before(output);
    float[] is = folding.after(output);
    int width = by.floats().length;
    for (int i = 0; i < is.length; i++) {
      assertThat(is[i]).isCloseTo(was[i] + by.floats()[i % width], within(1e-5f));
    }
    folding.checks();
  }

  private Miss miss(Graphs graphs, Adapters adapter) {
    Binding binding = Folding.bind(folder, graphs, adapter);
    assertThat(binding.misses()).hasSize(1);
    return binding.misses().getFirst();
  }

  @Test
  void refusesABiasBehindAnOperatorWithoutOutput() {
    Miss miss = miss(matMul(""), bias());
    assertThat(miss.name()).isEqualTo("fc.bias");
    assertThat(miss.reason()).contains("/fc/MatMul", "has no output");
  }

  static Stream<Arguments> graphsThatMayHoldIt() {
    Node skip =
        Node.of("com.microsoft.SkipLayerNormalization", "p", "other", "gamma", "beta", "hidden")
            .to("y");
    return Stream.of(
        Arguments.of(
            "a table",
            matMul("p").weight("t", Values.random(3, 2, 3)).node(Node.of("Add", "p", "t").to("y"))),
        Arguments.of(
            "a bias behind a Reshape",
            matMul("p")
                .integers("shape", -1, 3)
                .weight("t", Values.random(3, 3))
                .node(Node.of("Reshape", "p", "shape").to("r"))
                .node(Node.of("Add", "r", "t").to("y"))),
        Arguments.of(
            "an attention's packed bias of other widths",
            matMul("q")
                .weight("packed", Values.random(3, 6))
                .node(
                    Node.of("com.microsoft.MultiHeadAttention", "q", "x", "x", "packed")
                        .to("y")
                        .with("num_heads", 1))),
        Arguments.of(
            "an operator that may add what it reads",
            matMul("q")
                .weight("packed", Values.random(3, 9))
                .node(
                    Node.of("com.microsoft.DecoderMaskedSelfAttention", "q", "x", "packed")
                        .to("y")
                        .with("num_heads", 1))),
        Arguments.of(
            "a sum of two products",
            matMul("p")
                .weight("w2", WEIGHT.transposed())
                .weight("gamma", Values.random(3, 3))
                .weight("beta", Values.random(4, 3))
                .weight("hidden", Values.random(5, 3))
                .node(Node.of("MatMul", "x", "w2").to("other").named("/other/MatMul"))
                .node(skip)),
        Arguments.of(
            "a function",
            matMul("p")
                .function("Black", List.of("a"), "b", Node.of("Relu", "a").to("b"))
                .node(Node.of("local.Black", "p").to("y"))));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("graphsThatMayHoldIt")
  void refusesASecondBiasBesideOneThatMayBeThere(String what, Graphs graphs) {
    Miss miss = miss(graphs, bias());

    assertThat(miss.cause()).isEqualTo(Miss.Cause.UNSUPPORTED);
    assertThat(miss.reason()).contains("may hold the bias", "its place cannot be proved");
  }

  @Test
  void refusesAnOperatorInAFunction() {
    Graphs graphs =
        graph()
            .weight("fc.weight", WEIGHT.transposed())
            .function(
                "Linear",
                List.of("a", "w"),
                "b",
                Node.of("MatMul", "a", "w").to("b").named("inner"))
            .node(Node.of("local.Linear", "x", "fc.weight").to("y").named("/fc/Linear"));

    assertThat(miss(graphs, bias()).reason()).contains("model-local function", "inline");
  }

  @Test
  void refusesAWeightOnTheLeft() {
    Graphs graphs =
        Graphs.create()
            .input("x", 4, -1)
            .output("y", 3, -1)
            .weight("fc.weight", WEIGHT)
            .node(Node.of("MatMul", "fc.weight", "x").to("y").named("/fc/MatMul"));

    assertThat(miss(graphs, bias()).reason()).contains("on the left", "column");
  }

  @Test
  void refusesAModuleOfWhichOnlyOneCallHasIt() {
    Graphs graphs =
        graph()
            .output("z", -1, 3)
            .weight("fc.weight", WEIGHT)
            .weight("b", Values.random(9, 3))
            .node(
                Node.of("Gemm", "x", "fc.weight", "b").to("y").named("/fc/Gemm").with("transB", 1))
            .node(Node.of("Gemm", "x", "fc.weight").to("z").named("/fc_1/Gemm").with("transB", 1));

    assertThat(miss(graphs, bias()).reason()).contains("some of its operators add a bias");
  }

  @Test
  void refusesABiasOfAnotherLength() {
    Miss miss = miss(matMul("y"), Adapters.create().bias("fc.bias", Values.random(1, 5)));

    assertThat(miss.reason()).contains("shape [5]", "has 3 outputs");
    assertThat(miss.cause()).isEqualTo(Miss.Cause.NO_FIT);
  }

  @Test
  void refusesAGemmThatMultipliesIt() {
    Graphs graphs =
        graph()
            .weight("fc.weight", WEIGHT)
            .node(
                Node.of("Gemm", "x", "fc.weight")
                    .to("y")
                    .named("/fc/Gemm")
                    .with("transB", 1)
                    .with("beta", 2f));

    assertThat(miss(graphs, bias()).reason()).contains("alpha or beta 2.0");
  }

  @Test
  void putsAnAddBehindAMatMulAndChangesNothingElse() {
    Folding folding = Folding.of(folder, matMul("y"), bias());

    shifts(folding, "y", BIAS);
    assertThat(folding.operators()).containsExactly("MatMul", "Add");
    assertThat(folding.graphChanges())
        .containsExactly("tensor fc.bias", "output /fc/MatMul", "node /fc/Add");
  }

  @Test
  void keepsTheNameOfTheProductForEveryReader() {
    Graphs graphs =
        matMul("p")
            .output("z", -1, 3)
            .node(Node.of("Relu", "p").to("y"))
            .node(Node.of("Neg", "p").to("z"));
    Folding folding = Folding.of(folder, graphs, bias());

    shifts(folding, "z", new Values(DType.FLOAT32, BIAS.shape(), negated(BIAS.floats())));
  }

  private static float[] negated(float[] values) {
    float[] negated = new float[values.length];
    for (int i = 0; i < values.length; i++) {
      negated[i] = -values[i];
    }
    return negated;
  }

  @Test
  void doesNotMistakeWhatAnotherModuleAddsForTheBias() {
    Graphs graphs =
        matMul("p")
            .weight("offset.value", Values.random(7, 3))
            .node(Node.of("Add", "p", "offset.value").to("y").named("/offset/Add"));
    Folding folding = Folding.of(folder, graphs, bias());

    shifts(folding, "y", BIAS);
    assertThat(folding.operators()).containsExactly("MatMul", "Add", "Add");
  }

  @Test
  void givesAGemmItsThirdInput() {
    Graphs graphs =
        graph()
            .weight("fc.weight", WEIGHT)
            .node(Node.of("Gemm", "x", "fc.weight").to("y").with("transB", 1).in("fc"));
    Folding folding = Folding.of(folder, graphs, bias());

    shifts(folding, "y", BIAS);
    assertThat(folding.operators()).containsExactly("Gemm");
    assertThat(folding.graphChanges()).containsExactly("tensor fc.bias", "input y");
  }

  @Test
  void givesAConvItsThirdInput() {
    Graphs graphs =
        Graphs.create()
            .input("x", 1, 2, 5)
            .output("y", 1, 3, 4)
            .weight("fc.weight", Values.random(5, 3, 2, 2))
            .node(Node.of("Conv", "x", "fc.weight").to("y").named("/fc/Conv"));
    Folding folding = Folding.of(folder, graphs, bias());

    float[] was = folding.before("y");
    float[] is = folding.after("y");
    for (int i = 0; i < is.length; i++) {
      assertThat(is[i]).isCloseTo(was[i] + BIAS.floats()[i / 4], within(1e-5f));
    }
    folding.checks();
    assertThat(folding.operators()).containsExactly("Conv");
  }

  @Test
  void givesEveryCallOfAModuleTheSameTensor() {
    Graphs graphs =
        matMul("y")
            .output("z", -1, 3)
            .node(Node.of("MatMul", "x", "w").to("z").named("/fc_1/MatMul"));
    Folding folding = Folding.of(folder, graphs, bias());

    shifts(folding, "y", BIAS);
    shifts(folding, "z", BIAS);
    assertThat(folding.graphChanges()).filteredOn(c -> c.startsWith("tensor")).hasSize(1);
  }

  @Test
  void keepsALargeBiasWhereTheBaseKeepsItsWeights() {
    Values wide = Values.random(6, 300, 4);
    Graphs graphs =
        Graphs.create()
            .input("x", -1, 4)
            .output("y", -1, 300)
            .external("w", wide.transposed(), "weights.bin")
            .node(Node.of("MatMul", "x", "w").to("y").named("/fc/MatMul"));
    Values bias = Values.random(7, 300);
    Folding folding = Folding.of(folder, graphs, Adapters.create().bias("fc.bias", bias));

    shifts(folding, "y", bias);
    assertThat(OnnxModel.open(folding.output()).graph().initializers())
        .extracting(StoredTensor::storage)
        .containsOnly(StoredTensor.Storage.EXTERNAL);
  }

  /** Of equal zeros dynamo keeps one name, here that of the module whose own bias it left out. */
  @Test
  void leavesATensorAloneThatHasTheNameButServesOthers() {
    Graphs graphs =
        graph()
            .output("z", -1, 3)
            .weight("fc.weight", WEIGHT)
            .weight("other.weight", Values.random(8, 3, 4))
            .weight("fc.bias", Values.filled(0, 3))
            .node(Node.of("Gemm", "x", "fc.weight").to("y").with("transB", 1).in("fc"))
            .node(
                Node.of("Gemm", "x", "other.weight", "fc.bias")
                    .to("z")
                    .with("transB", 1)
                    .in("other"));
    Folding folding = Folding.of(folder, graphs, bias());

    shifts(folding, "y", BIAS);
    folding.keeps("z");
    assertThat(folding.graphChanges()).containsExactly("tensor fc.bias_1", "input y");
  }

  @ParameterizedTest
  @ValueSource(floats = {0f, 1f})
  void refusesANameThatMayStandForSeveralModules(float value) {
    Graphs graphs =
        Graphs.create()
            .input("x", 1, 3, 4)
            .output("y", 1, 3, 4)
            .weight("gamma", Values.random(3, 4))
            .weight("norm.bias", Values.filled(value, 4))
            .node(
                Node.of(
                        "com.microsoft.SkipLayerNormalization",
                        "x",
                        "x",
                        "gamma",
                        "norm.bias",
                        "norm.bias")
                    .to("y"));

    Miss miss = miss(graphs, Adapters.create().saved("norm.bias", Values.random(5, 4)));
    assertThat(miss.cause()).isEqualTo(Miss.Cause.UNSUPPORTED);
    assertThat(miss.reason()).contains("read by 2 operators", "may have merged");
  }

  @Test
  void takesANameForGoodWhereTheValuesAreTheModulesOwn() {
    Graphs graphs =
        Graphs.create()
            .input("x", 1, 3, 4)
            .output("y", 1, 3, 4)
            .weight("gamma", Values.random(3, 4))
            .weight("norm.bias", Values.random(4, 4))
            .node(
                Node.of("com.microsoft.SkipLayerNormalization", "x", "x", "gamma", "norm.bias")
                    .to("h"))
            .node(
                Node.of("com.microsoft.SkipLayerNormalization", "h", "x", "gamma", "norm.bias")
                    .to("y"));
    Values shift = Values.random(5, 4);
    Folding folding = Folding.of(folder, graphs, Adapters.create().saved("norm.bias", shift));

    assertThat(folding.stored("norm.bias")).containsExactly(shift.floats());
    assertThat(folding.graphChanges()).isEmpty();
  }

  @Test
  void takesTheTypeOfTheWeight() {
    Graphs graphs =
        Graphs.create()
            .input(DType.FLOAT16, "h", 2, 4)
            .output(DType.FLOAT16, "y", 2, 3)
            .weight("w", WEIGHT.transposed().as(DType.FLOAT16))
            .node(Node.of("MatMul", "h", "w").to("y").named("/fc/MatMul"));
    Binding binding = Folding.bind(folder, graphs, bias());

    assertThat(binding.misses()).isEmpty();
    assertThat(binding.bound().getFirst().place().gap().map(Gap::dtype)).hasValue(DType.FLOAT16);
  }

  @Test
  void findsTheBiasByItsNameTheNextTime() {
    Folding first = Folding.of(folder, matMul("y"), bias());
    Path adapter =
        Adapters.create().bias("fc.bias", Values.random(11, 3)).write(folder.resolve("second"));
    Binding again =
        Binder.bind(
            SiteIndex.of(ModelGraph.of(OnnxModel.open(first.output()))),
            PeftAdapter.open(adapter),
            Binder.Options.DERIVED);

    assertThat(again.bound().getFirst().place().gap()).isEmpty();
    assertThat(again.bound().getFirst().place().tensor().label()).isEqualTo("fc.bias");
  }
}
