package dev.graft.match;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.graft.testing.Adapters;
import dev.graft.testing.Folding;
import dev.graft.testing.Graphs;
import dev.graft.testing.Node;
import dev.graft.testing.Values;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The bias of B, times the pair's scale, on the module's own bias. */
class LoraBiasTest {

  private static final Values WEIGHT = Values.random(1, 3, 4);
  private static final Values BIAS = Values.random(2, 3);
  private static final Values OF_B = Values.random(3, 3);

  @TempDir Path folder;

  private static Graphs graph() {
    return Graphs.create().input("x", -1, 4).output("y", -1, 3).weight("fc.weight", WEIGHT);
  }

  private static Adapters adapter() {
    return Adapters.create().lora("fc", 4, 3).loraBias("fc", OF_B);
  }

  private static Node gemm(String... inputs) {
    return Node.of("Gemm", inputs).with("transB", 1);
  }

  /** Sees that an output moved by the pair's product and by a constant. */
  private static void moves(Folding folding, Adapters adapter, float[] constant) {
    Adapters.Pair pair = adapter.pair("fc");
    float[] x = folding.fed("x");
    float[] was = folding.before("y");
    float[] is = folding.after("y");
    for (int row = 0; row < x.length / 4; row++) {
      double[] one = {x[4 * row], x[4 * row + 1], x[4 * row + 2], x[4 * row + 3]};
      double[] delta = pair.delta(one);
      for (int o = 0; o < 3; o++) {
        assertThat((double) is[3 * row + o])
            .isCloseTo(was[3 * row + o] + delta[o] + constant[o], within(2e-5));
      }
    }
    folding.checks();
  }

  private static float[] scaled() {
    return scaled(OF_B);
  }

  private static float[] scaled(Values values) {
    float[] scaled = values.floats().clone();
    for (int i = 0; i < scaled.length; i++) {
      scaled[i] *= Adapters.SCALE;
    }
    return scaled;
  }

  private Miss miss(Graphs graphs, Adapters adapter) {
    Binding binding = Folding.bind(folder, graphs, adapter);
    assertThat(binding.misses()).hasSize(1);
    return binding.misses().getFirst();
  }

  @Test
  void refusesABiasThatIsComputed() {
    Graphs graphs = graph().input("c", 3).node(gemm("x", "fc.weight", "c").to("y"));

    Miss miss = miss(graphs, adapter());
    assertThat(miss.name()).isEqualTo("fc.bias");
    assertThat(miss.reason()).contains("lora_bias", "not stored");
  }

  @Test
  void refusesAGemmThatIgnoresItsBias() {
    Graphs graphs =
        graph()
            .weight("fc.bias", BIAS)
            .node(gemm("x", "fc.weight", "fc.bias").to("y").with("beta", 0f));

    assertThat(miss(graphs, adapter()).reason()).contains("beta 0.0, so no bias acts");
  }

  @Test
  void refusesOperatorsThatMultiplyOneBiasDifferently() {
    Graphs graphs =
        graph()
            .output("z", -1, 3)
            .weight("fc.bias", BIAS)
            .node(gemm("x", "fc.weight", "fc.bias").to("y").named("/fc/Gemm"))
            .node(gemm("x", "fc.weight", "fc.bias").to("z").named("/fc_1/Gemm").with("beta", 3f));

    assertThat(miss(graphs, adapter()).reason()).contains("different factors");
  }

  @Test
  void addsToTheThirdInputOfAGemm() {
    Graphs graphs = graph().weight("fc.bias", BIAS).node(gemm("x", "fc.weight", "fc.bias").to("y"));
    Folding folding = Folding.of(folder, graphs, adapter());

    moves(folding, adapter(), scaled());
    assertThat(folding.graphChanges()).isEmpty();
    assertThat(folding.target("fc.bias").place().rule()).isEqualTo(NameRule.INITIALIZER);
  }

  @Test
  void dividesByTheFactorOfTheGemm() {
    Graphs graphs =
        graph().weight("c", BIAS).node(gemm("x", "fc.weight", "c").to("y").with("beta", 0.25f));

    moves(Folding.of(folder, graphs, adapter()), adapter(), scaled());
  }

  @Test
  void dividesANewBiasByTheFactorOfTheGemm() {
    Graphs graphs = graph().node(gemm("x", "fc.weight").to("y").with("beta", 0.25f));

    moves(Folding.of(folder, graphs, adapter()), adapter(), scaled());
  }

  @Test
  void addsToWhatAnAddAddsUnderAnyName() {
    Graphs graphs =
        Graphs.create()
            .input("x", -1, 4)
            .output("y", -1, 3)
            .weight("onnx::MatMul_1", WEIGHT.transposed())
            .weight("onnx::Add_2", BIAS)
            .node(Node.of("MatMul", "x", "onnx::MatMul_1").to("p").named("/fc/MatMul"))
            .node(Node.of("Add", "onnx::Add_2", "p").to("y").named("/fc/Add"));
    Folding folding = Folding.of(folder, graphs, adapter());

    moves(folding, adapter(), scaled());
    assertThat(folding.target("fc.bias").place().rule()).isEqualTo(NameRule.BIAS_OF_SITE);
  }

  @Test
  void givesAGraphWithoutABiasOne() {
    Graphs graphs =
        Graphs.create()
            .input("x", -1, 4)
            .output("y", -1, 3)
            .weight("w", WEIGHT.transposed())
            .node(Node.of("MatMul", "x", "w").to("y").named("/fc/MatMul"));
    Folding folding = Folding.of(folder, graphs, adapter());

    moves(folding, adapter(), scaled());
    assertThat(folding.operators()).containsExactly("MatMul", "Add");
  }

  /** A sum does not ask where its parts are added, so nothing has to be proved. */
  @Test
  void addsBesideABiasWhoseOwnerIsInDoubt() {
    Graphs graphs =
        Graphs.create()
            .input("x", -1, 4)
            .output("y", -1, 3)
            .weight("w", WEIGHT.transposed())
            .weight("t", Values.random(9, 1, 3))
            .node(Node.of("MatMul", "x", "w").to("p").named("/fc/MatMul"))
            .node(Node.of("Add", "p", "t").to("y"));

    moves(Folding.of(folder, graphs, adapter()), adapter(), scaled());
  }

  @Test
  void leavesAnEqualBiasOfAnotherModuleAlone() {
    Graphs graphs =
        graph()
            .output("z", -1, 3)
            .weight("other.weight", Values.random(5, 3, 4))
            .weight("fc.bias", BIAS)
            .node(gemm("x", "fc.weight", "fc.bias").to("y").named("/fc/Gemm"))
            .node(gemm("x", "other.weight", "fc.bias").to("z").named("/other/Gemm"));
    Folding folding = Folding.of(folder, graphs, adapter());

    moves(folding, adapter(), scaled());
    folding.keeps("z");
    assertThat(folding.graphChanges()).containsExactly("tensor fc.bias/fc.bias", "input /fc/Gemm");
  }

  /**
   * {@code bias=all} and {@code lora_bias} together: the saved bias, and the shift on top of it.
   */
  @Test
  void addsToASavedBias() {
    Values saved = Values.random(8, 3);
    Adapters both = adapter().bias("fc.bias", saved);
    Graphs graphs = graph().weight("fc.bias", BIAS).node(gemm("x", "fc.weight", "fc.bias").to("y"));

    float[] expected = scaled();
    for (int i = 0; i < 3; i++) {
      expected[i] += saved.floats()[i] - BIAS.floats()[i];
    }
    moves(Folding.of(folder, graphs, both), both, expected);
  }

  @Test
  void addsToASavedBiasThatTheGraphLacks() {
    Values saved = Values.random(8, 3);
    Adapters both = adapter().bias("fc.bias", saved);
    Graphs graphs = graph().node(gemm("x", "fc.weight").to("y"));

    float[] expected = scaled();
    for (int i = 0; i < 3; i++) {
      expected[i] += saved.floats()[i];
    }
    Folding folding = Folding.of(folder, graphs, both);
    moves(folding, both, expected);
    assertThat(folding.graphChanges()).isEqualTo(List.of("tensor fc.bias", "input y"));
  }

  @Test
  void takesAConvolutionsBias() {
    Values kernel = Values.random(5, 3, 4, 1);
    Graphs graphs =
        Graphs.create()
            .input("x", 1, 4, 1)
            .output("y", 1, 3, 1)
            .weight("fc.weight", kernel)
            .weight("fc.bias", BIAS)
            .node(Node.of("Conv", "x", "fc.weight", "fc.bias").to("y"));

    moves(Folding.of(folder, graphs, adapter()), adapter(), scaled());
  }
}
