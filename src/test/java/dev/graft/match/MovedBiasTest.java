package dev.graft.match;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.graft.testing.Adapters;
import dev.graft.testing.Folding;
import dev.graft.testing.Graphs;
import dev.graft.testing.Node;
import dev.graft.testing.Values;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Biases that an optimiser moved into the operator behind the product. */
class MovedBiasTest {

  private static final Values WEIGHT = Values.random(1, 4, 4);
  private static final Values OLD = Values.random(2, 4);
  private static final Values NEW = Values.random(3, 4);

  @TempDir Path folder;

  private static Graphs product() {
    return Graphs.create()
        .input("x", 1, 3, 4)
        .output("y", 1, 3, 4)
        .weight("w", WEIGHT.transposed())
        .weight("anonymous", OLD)
        .node(Node.of("MatMul", "x", "w").to("p").named("/fc/MatMul"));
  }

  private static Adapters bias() {
    return Adapters.create().bias("fc.bias", NEW);
  }

  /** The graph as it would be with an Add of a bias right behind the product. */
  private static Graphs spelledOut(Node behind, Values bias) {
    return Graphs.create()
        .input("x", 1, 3, 4)
        .output("y", 1, 3, 4)
        .weight("w", WEIGHT.transposed())
        .weight("plain.bias", bias)
        .weight("gamma", Values.random(5, 4))
        .weight("beta", Values.random(6, 4))
        .node(Node.of("MatMul", "x", "w").to("q"))
        .node(Node.of("Add", "q", "plain.bias").to("p"))
        .node(behind);
  }

  @ParameterizedTest
  @ValueSource(strings = {"BiasGelu", "FastGelu", "BiasAdd", "BiasSplitGelu", "BiasDropout"})
  void findsTheBiasInTheSecondInputOf(String operator) {
    Graphs graphs = product().node(Node.of("com.microsoft." + operator, "p", "anonymous").to("y"));
    Binding binding = Folding.bind(folder, graphs, bias());

    assertThat(binding.misses()).isEmpty();
    assertThat(binding.bound().getFirst().place().tensor().label()).isEqualTo("anonymous");
    assertThat(binding.bound().getFirst().place().rule()).isEqualTo(NameRule.BIAS_OF_SITE);
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1})
  void findsTheBiasInTheFifthInputOfASkipLayerNormalization(int place) {
    String[] inputs =
        place == 0
            ? new String[] {"p", "x", "gamma", "beta", "anonymous"}
            : new String[] {"x", "p", "gamma", "beta", "anonymous"};
    Folding folding =
        Folding.of(
            folder,
            product()
                .weight("gamma", Values.random(5, 4))
                .weight("beta", Values.random(6, 4))
                .node(Node.of("com.microsoft.SkipLayerNormalization", inputs).to("y")),
            bias());

    assertThat(folding.target("fc.bias").place().tensor().label()).isEqualTo("anonymous");
    assertThat(folding.graphChanges()).isEmpty();
    assertThat(folding.stored("anonymous")).containsExactly(NEW.floats());
    folding.checks();
  }

  @Test
  void findsTheBiasInTheFourthInputOfASkipSimplifiedLayerNormalization() {
    Folding folding =
        Folding.of(
            folder,
            product()
                .weight("gamma", Values.random(5, 4))
                .node(
                    Node.of(
                            "com.microsoft.SkipSimplifiedLayerNormalization",
                            "p",
                            "x",
                            "gamma",
                            "anonymous")
                        .to("y")),
            bias());

    assertThat(folding.stored("anonymous")).containsExactly(NEW.floats());
    folding.checks();
  }

  @Test
  void givesTheNormWhatAnAddBehindTheProductWouldGive() {
    Node skip =
        Node.of("com.microsoft.SkipLayerNormalization", "p", "x", "gamma", "beta", "anonymous")
            .to("y");
    Node plain = Node.of("com.microsoft.SkipLayerNormalization", "p", "x", "gamma", "beta").to("y");
    Folding folding =
        Folding.of(
            folder,
            product()
                .weight("gamma", Values.random(5, 4))
                .weight("beta", Values.random(6, 4))
                .node(skip),
            bias());

    Folding spelled =
        Folding.of(
            folder.resolve("spelled"),
            spelledOut(plain, OLD),
            Adapters.create().bias("plain.bias", NEW));
    for (int i = 0; i < 12; i++) {
      assertThat(folding.after("y")[i]).isCloseTo(spelled.after("y")[i], within(1e-5f));
    }
  }

  @Test
  void setsAnAddBehindAProductWhoseGeluHasNoBias() {
    Folding folding =
        Folding.of(folder, product().node(Node.of("com.microsoft.FastGelu", "p").to("y")), bias());

    assertThat(folding.operators()).containsExactly("MatMul", "Add", "com.microsoft.FastGelu");
    folding.checks();
  }

  @Test
  void refusesASumOfTwoProductsThatHasOneBias() {
    Graphs graphs =
        product()
            .weight("w2", Values.random(8, 4, 4))
            .weight("gamma", Values.random(5, 4))
            .weight("beta", Values.random(6, 4))
            .integers("shape", 1, 3, 4)
            .node(Node.of("MatMul", "x", "w2").to("q").named("/other/MatMul"))
            .node(Node.of("Reshape", "q", "shape").to("r"))
            .node(
                Node.of(
                        "com.microsoft.SkipLayerNormalization",
                        "p",
                        "r",
                        "gamma",
                        "beta",
                        "anonymous")
                    .to("y"));
    Binding binding = Folding.bind(folder, graphs, bias());

    assertThat(binding.misses())
        .singleElement()
        .satisfies(m -> assertThat(m.reason()).contains("SkipLayerNormalization", "may hold"));
  }

  @Test
  void takesTheThirdInputOfAFusedGemm() {
    Graphs graphs =
        Graphs.create()
            .input("x", 3, 4)
            .output("y", 3, 4)
            .weight("w", WEIGHT)
            .weight("anonymous", OLD)
            .node(
                Node.of("com.microsoft.FusedGemm", "x", "w", "anonymous")
                    .to("y")
                    .named("/fc/Gemm")
                    .with("transB", 1)
                    .with("activation", "Relu"));
    Folding folding = Folding.of(folder, graphs, bias());

    assertThat(folding.stored("anonymous")).containsExactly(NEW.floats());
    folding.checks();
  }
}
