package dev.graft.match;

import static org.assertj.core.api.Assertions.assertThat;

import dev.graft.runtime.HostTensor;
import dev.graft.tensor.DType;
import dev.graft.tensor.Shape;
import dev.graft.testing.Adapters;
import dev.graft.testing.Folding;
import dev.graft.testing.Graphs;
import dev.graft.testing.Node;
import dev.graft.testing.Values;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Heads and other whole tensors that replace the file's own. */
class HeadTest {

  private static final Values BASE = Values.random(1, 3, 4);
  private static final Values BASE_BIAS = Values.random(2, 3);
  private static final Values HEAD = Values.random(3, 3, 4);
  private static final Values BIAS = Values.random(4, 3);

  @TempDir Path folder;

  private static Graphs graph() {
    return Graphs.create().input("x", -1, 4).output("y", -1, 3);
  }

  private static Adapters head() {
    return Adapters.create().saved("classifier.weight", HEAD).saved("classifier.bias", BIAS);
  }

  private static Adapters weight(Values values) {
    return Adapters.create().saved("classifier.weight", values);
  }

  private static Adapters bias(Values values) {
    return Adapters.create().saved("classifier.bias", values);
  }

  /** Sees that an output is {@code x·weightᵀ + bias}. */
  private static void gives(Folding folding, Values weight, Values bias) {
    float[] x = folding.fed("x");
    float[] y = folding.after("y");
    int in = weight.columns();
    int out = weight.rows();
    for (int row = 0; row < x.length / in; row++) {
      for (int o = 0; o < out; o++) {
        double sum = bias.floats()[o];
        for (int i = 0; i < in; i++) {
          sum += (double) x[row * in + i] * weight.at(o, i);
        }
        assertThat((double) y[row * out + o])
            .isCloseTo(sum, org.assertj.core.data.Offset.offset(1e-5));
      }
    }
    folding.checks();
  }

  private String reason(Graphs graphs, Adapters adapter) {
    Binding binding = Folding.bind(folder, graphs, adapter);
    assertThat(binding.misses()).hasSize(1);
    return binding.misses().getFirst().reason();
  }

  private static Graphs anonymous(String bias) {
    return graph()
        .weight("onnx::MatMul_9", BASE.transposed())
        .weight(bias, BASE_BIAS)
        .node(Node.of("MatMul", "x", "onnx::MatMul_9").to("p").named("/classifier/MatMul"));
  }

  @Test
  void doesNotTurnANamedHeadThatItsOperatorReadsStraight() {
    Graphs graphs =
        graph()
            .weight("classifier.weight", BASE)
            .node(Node.of("Gemm", "x", "classifier.weight").to("y").with("transB", 1));

    assertThat(reason(graphs, weight(Values.random(1, 4, 3)))).contains("[4, 3]", "[3, 4]");
  }

  @Test
  void doesNotTakeATableOfPositionsForTheBias() {
    Graphs graphs =
        graph()
            .weight("w", BASE.transposed())
            .weight("positions", Values.random(1, 1, 3))
            .node(Node.of("MatMul", "x", "w").to("p").named("/classifier/MatMul"))
            .node(Node.of("Add", "p", "positions").to("y"));

    assertThat(reason(graphs, bias(BIAS)))
        .contains("adds no bias right behind", "cannot be proved");
  }

  @Test
  void saysThatAHeadIsQuantised() {
    Graphs graphs =
        graph()
            .weight(
                "classifier.weight_quantized",
                new Values(DType.INT8, Shape.of(4, 3), new float[12]))
            .weight("s", Values.filled(1))
            .node(Node.of("DequantizeLinear", "classifier.weight_quantized", "s").to("d"))
            .node(Node.of("MatMul", "x", "d").to("y").named("/classifier/MatMul"));

    assertThat(Folding.bind(folder, graphs, weight(HEAD)).misses())
        .singleElement()
        .satisfies(m -> assertThat(m.cause()).isEqualTo(Miss.Cause.QUANTISED));
  }

  @Test
  void refusesAParameterThatIsThereInTwoGraphsWithDifferentValues() {
    Graphs graphs =
        graph()
            .weight("w", BASE.transposed())
            .function(
                "F",
                java.util.List.of("p"),
                "y",
                Node.constant(Values.random(8, 3)).to("classifier.bias"),
                Node.of("Add", "p", "classifier.bias").to("y"))
            .weight("classifier.bias", BASE_BIAS)
            .node(Node.of("MatMul", "x", "w").to("p"))
            .node(Node.of("Add", "p", "classifier.bias").to("q"))
            .node(Node.of("local.F", "q").to("y"));

    assertThat(reason(graphs, bias(BIAS))).contains("2 different tensors");
  }

  @Test
  void replacesAGemmUnderItsOwnName() {
    Graphs graphs =
        graph()
            .weight("classifier.weight", BASE)
            .weight("classifier.bias", BASE_BIAS)
            .node(
                Node.of("Gemm", "x", "classifier.weight", "classifier.bias")
                    .to("y")
                    .named("/classifier/Gemm")
                    .with("transB", 1));

    gives(Folding.of(folder, graphs, head()), HEAD, BIAS);
  }

  @Test
  void replacesAGemmWhoseTensorsHaveLostTheirNames() {
    Graphs graphs =
        graph()
            .weight("1", BASE)
            .weight("2", BASE_BIAS)
            .node(Node.of("Gemm", "x", "1", "2").to("y").in("classifier").with("transB", 1));

    gives(Folding.of(folder, graphs, head()), HEAD, BIAS);
  }

  @ParameterizedTest
  @CsvSource({"classifier.bias, p", "p, classifier.bias", "onnx::Add_1, p", "p, onnx::Add_1"})
  void turnsAnAnonymousMatMulAndFindsTheBiasOnEitherSide(String left, String right) {
    String bias = left.equals("p") ? right : left;
    Graphs graphs =
        anonymous(bias).node(Node.of("Add", left, right).to("y").named("/classifier/Add"));

    gives(Folding.of(folder, graphs, head()), HEAD, BIAS);
  }

  @Test
  void splitsABiasOfZerosThatTheExporterKeptOnce() {
    Graphs graphs =
        anonymous("other.bias")
            .output("o", -1, 3)
            .node(Node.of("Identity", "other.bias").to("classifier.bias"))
            .node(Node.of("Add", "classifier.bias", "p").to("y").named("/classifier/Add"))
            .node(Node.of("Add", "other.bias", "p").to("o").named("/other/Add"));

    Folding folding = Folding.of(folder, graphs, head());

    gives(folding, HEAD, BIAS);
    assertThat(folding.splitBytes()).isEqualTo(3 * 4);
  }

  @Test
  void keepsTheOtherBiasBitForBit() {
    Graphs graphs =
        anonymous("classifier.bias")
            .output("o", -1, 3)
            .node(Node.of("Identity", "classifier.bias").to("other.bias"))
            .node(Node.of("Add", "classifier.bias", "p").to("y"))
            .node(Node.of("Add", "other.bias", "x3").to("o"))
            .input("x3", -1, 3);

    Folding folding = Folding.of(folder, graphs, head());

    gives(folding, HEAD, BIAS);
    folding.keeps("o");
  }

  @Test
  void replacesSquareHeadsTheWayTheOperatorReadsThem() {
    Values square = Values.random(9, 4, 4);
    Graphs graphs =
        Graphs.create()
            .input("x", -1, 4)
            .output("y", -1, 4)
            .weight("w", Values.random(8, 4, 4))
            .node(Node.of("MatMul", "x", "w").to("y").named("/classifier/MatMul"));

    gives(Folding.of(folder, graphs, weight(square)), square, Values.filled(0, 4));
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void knowsConv1dFromALayerThatAToolHasTurned(boolean conv1d) {
    Values square = Values.random(9, 4, 4);
    Graphs graphs =
        Graphs.create()
            .input("x", -1, 4)
            .output("y", -1, 4)
            .weight("classifier.weight", Values.random(8, 4, 4))
            .node(Node.of("Gemm", "x", "classifier.weight").to("y"));
    Adapters adapter = weight(square).config("fan_in_fan_out", Boolean.toString(conv1d));

    gives(
        Folding.of(folder, graphs, adapter),
        conv1d ? square.transposed() : square,
        Values.filled(0, 4));
  }

  @Test
  void replacesAnEmbeddingThatIsStoredTurned() {
    Values table = Values.random(5, 4, 4);
    Graphs graphs =
        Graphs.create()
            .input(DType.INT64, "ids", 2)
            .output("e", 2, 4)
            .weight("w", Values.random(6, 4, 4))
            .node(Node.of("Transpose", "w").to("t"))
            .node(Node.of("Gather", "t", "ids").to("e").named("/classifier/Gather"));

    Folding folding =
        Folding.of(
            folder, graphs, weight(table), Map.of("ids", HostTensor.ofLongs(Shape.of(2), 3, 0)));

    for (int i = 0; i < 4; i++) {
      assertThat(folding.after("e")[i]).isEqualTo(table.at(3, i));
      assertThat(folding.after("e")[4 + i]).isEqualTo(table.at(0, i));
    }
  }

  @Test
  void replacesANormByItsName() {
    Graphs graphs =
        Graphs.create()
            .input("x", -1, 4)
            .output("y", -1, 4)
            .weight("model.norm.weight", Values.random(1, 4))
            .node(Node.of("Mul", "x", "model.norm.weight").to("y").named("/model/norm/Mul_1"));
    Values norm = Values.filled(2, 4);

    Folding folding =
        Folding.of(folder, graphs, Adapters.create().saved("model.norm.weight", norm));

    float[] x = folding.fed("x");
    for (int i = 0; i < x.length; i++) {
      assertThat(folding.after("y")[i]).isEqualTo(2 * x[i]);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"onnx::MatMul_9", "node_1"})
  void followsTheMapFileForAHead(String called) throws IOException {
    Graphs graphs =
        graph()
            .weight("onnx::MatMul_9", BASE.transposed())
            .node(Node.of("MatMul", "x", "onnx::MatMul_9").to("y").named("node_1"));
    Path map = Files.writeString(folder.resolve("map"), "classifier.weight -> " + called + "\n");

    gives(
        Folding.of(
            folder,
            graphs,
            weight(HEAD),
            new Binder.Options(Optional.empty(), NameMap.read(map)),
            Map.of()),
        HEAD,
        Values.filled(0, 3));
  }

  @Test
  void saysThatTheMapFileNamesNoTensor() throws IOException {
    Graphs graphs =
        graph()
            .weight("classifier.weight", BASE)
            .node(Node.of("Gemm", "x", "classifier.weight").to("y").with("transB", 1));
    Path map = Files.writeString(folder.resolve("map"), "classifier.weight -> nowhere\n");

    Binding binding =
        Folding.bind(
            folder, graphs, weight(HEAD), new Binder.Options(Optional.empty(), NameMap.read(map)));

    assertThat(binding.misses())
        .singleElement()
        .satisfies(m -> assertThat(m.reason()).contains("the map file names 'nowhere'"));
  }
}
