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
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * A square weight goes in the right way round: the operators between it and the product say how.
 */
class OrientationTest {

  private static final int N = 12;
  private static final Values W = Values.random(1, N, N);

  @TempDir Path folder;

  private static Graphs graph(Node... nodes) {
    Graphs graphs = Graphs.create().input("x", -1, N).output("y", -1, N).weight("w", W);
    Stream.of(nodes).forEach(graphs::node);
    return graphs;
  }

  private static Node named(Node node) {
    return node.to("y").named("/fc/Op");
  }

  static Stream<Arguments> forms() {
    Node turn = Node.of("Transpose", "w").to("t");
    Node perm = Node.of("Transpose", "w").to("t").with("perm", List.of(1L, 0L));
    Node keep = Node.of("Transpose", "w").to("t").with("perm", List.of(0L, 1L));
    return Stream.of(
        Arguments.of("MatMul", Layout.IN_OUT, graph(named(Node.of("MatMul", "x", "w")))),
        Arguments.of("Gemm", Layout.IN_OUT, graph(named(Node.of("Gemm", "x", "w")))),
        Arguments.of(
            "Gemm transB",
            Layout.OUT_IN,
            graph(named(Node.of("Gemm", "x", "w")).with("transB", 1))),
        Arguments.of(
            "Gemm alpha",
            Layout.OUT_IN,
            graph(named(Node.of("Gemm", "x", "w")).with("transB", 1).with("alpha", 0.25f))),
        Arguments.of(
            "FusedMatMul",
            Layout.IN_OUT,
            graph(named(Node.of("com.microsoft.FusedMatMul", "x", "w")).with("alpha", 0.5f))),
        Arguments.of(
            "FusedMatMul transB",
            Layout.OUT_IN,
            graph(named(Node.of("com.microsoft.FusedMatMul", "x", "w")).with("transB", 1))),
        Arguments.of(
            "FusedGemm",
            Layout.OUT_IN,
            graph(
                Node.of("com.microsoft.FusedGemm", "x", "w")
                    .to("r")
                    .named("/fc/Gemm")
                    .with("transB", 1)
                    .with("activation", "LeakyRelu")
                    .with("activation_alpha", 1f),
                Node.of("Identity", "r").to("y"))),
        Arguments.of("Transpose", Layout.OUT_IN, graph(turn, named(Node.of("MatMul", "x", "t")))),
        Arguments.of("perm", Layout.OUT_IN, graph(perm, named(Node.of("MatMul", "x", "t")))),
        Arguments.of("no perm", Layout.IN_OUT, graph(keep, named(Node.of("MatMul", "x", "t")))),
        Arguments.of(
            "Transpose and transB",
            Layout.IN_OUT,
            graph(turn, named(Node.of("Gemm", "x", "t")).with("transB", 1))),
        Arguments.of(
            "two Transposes",
            Layout.IN_OUT,
            graph(turn, Node.of("Transpose", "t").to("u"), named(Node.of("MatMul", "x", "u")))),
        Arguments.of(
            "a chain",
            Layout.OUT_IN,
            graph(
                Node.of("Identity", "w").to("i"),
                Node.of("Cast", "i").to("c").with("to", 1),
                Node.of("Transpose", "c").to("t"),
                Node.of("Identity", "t").to("u"),
                named(Node.of("MatMul", "x", "u")))));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("forms")
  void followsTheOperator(String form, Layout layout, Graphs graphs) {
    Folding folding = Folding.of(folder, graphs, Adapters.create().lora("fc", N, N));

    folding.moves("y", "fc").checks();
    assertThat(folding.target("fc"))
        .as(form)
        .isInstanceOfSatisfying(
            BoundTarget.Lora.class, l -> assertThat(l.layout()).isEqualTo(layout));
    assertThat(folding.splitBytes()).isZero();
  }

  @Test
  void turnsAWeightOnTheLeft() {
    Graphs graphs =
        Graphs.create()
            .input("x", -1, N)
            .output("y", -1, N)
            .weight("w", W)
            .node(Node.of("Transpose", "x").to("xt"))
            .node(Node.of("MatMul", "w", "xt").to("yt").named("/fc/MatMul"))
            .node(Node.of("Transpose", "yt").to("y"));

    Folding.of(folder, graphs, Adapters.create().lora("fc", N, N)).moves("y", "fc");
  }

  @ParameterizedTest
  @EnumSource(names = {"FLOAT16", "BFLOAT16"})
  void foldsInTheStoredTypeBehindACast(DType type) {
    Graphs graphs =
        Graphs.create()
            .input("x", -1, 2)
            .output("y", -1, 2)
            .weight("w", Values.filled(0, 2, 2).as(type))
            .node(Node.of("Cast", "w").to("c").with("to", 1))
            .node(Node.of("MatMul", "x", "c").to("y").named("/fc/MatMul"));

    Folding folding =
        Folding.of(
            folder,
            graphs,
            Adapters.create().lora("fc", 2, 2),
            Map.of("x", HostTensor.ofFloats(Shape.of(2, 2), 1, 0, 0, 1)));

    Adapters.Pair pair = Adapters.create().lora("fc", 2, 2).pair("fc");
    double[] first = pair.delta(new double[] {1, 0});
    assertThat((double) folding.after("y")[0])
        .isCloseTo(first[0], org.assertj.core.data.Offset.offset(4e-3));
    assertThat((double) folding.after("y")[1])
        .isCloseTo(first[1], org.assertj.core.data.Offset.offset(4e-3));
  }

  @Test
  void refusesAnOperatorThatIgnoresItsWeight() {
    Graphs graphs = graph(named(Node.of("Gemm", "x", "w")).with("alpha", 0f));

    assertThat(Folding.bind(folder, graphs, Adapters.create().lora("fc", N, N)).misses())
        .singleElement()
        .satisfies(m -> assertThat(m.reason()).contains("alpha 0.0"));
  }

  @Test
  void refusesOneModuleThatReadsItsWeightBothWays() {
    Graphs graphs =
        graph(
                named(Node.of("Gemm", "x", "w")),
                Node.of("Gemm", "x", "w").to("z").named("/fc/Gemm_1").with("transB", 1))
            .output("z", -1, N);

    assertThat(Folding.bind(folder, graphs, Adapters.create().lora("fc", N, N)).misses())
        .singleElement()
        .satisfies(m -> {
          assertThat(m.cause()).isEqualTo(Miss.Cause.UNSUPPORTED);
          assertThat(m.reason()).contains("in different ways");
        });
  }

  @Test
  void refusesShapesThatDoNotFit() {
    Graphs graphs =
        Graphs.create()
            .input("x", -1, 4)
            .output("y", -1, 6)
            .weight("w", Values.random(1, 4, 6))
            .node(Node.of("MatMul", "x", "w").to("y").named("/fc/MatMul"));

    assertThat(Folding.bind(folder, graphs, Adapters.create().lora("fc", 6, 4)).misses())
        .singleElement()
        .satisfies(m -> {
          assertThat(m.cause()).isEqualTo(Miss.Cause.NO_FIT);
          assertThat(m.reason())
              .contains("lora_A [2, 6]", "lora_B [4, 2]", "'w' [4, 6]", "4 inputs and 6 outputs");
        });
  }

  @Test
  void refusesAWeightOfDoublePrecision() {
    Graphs graphs =
        graph(named(Node.of("MatMul", "x", "d")))
            .weight("d", new Values(DType.FLOAT64, Shape.of(N, N), new float[N * N]));

    assertThat(Folding.bind(folder, graphs, Adapters.create().lora("fc", N, N)).misses())
        .singleElement()
        .satisfies(m -> {
          assertThat(m.cause()).isEqualTo(Miss.Cause.UNSUPPORTED);
          assertThat(m.reason()).contains("FLOAT64");
        });
  }
}
