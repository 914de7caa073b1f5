package dev.graft.match;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.graft.onnx.OnnxModel;
import dev.graft.onnx.proto.ValueInfoProto;
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
import org.junit.jupiter.params.provider.MethodSource;

/** Heads with another number of labels and tables with another number of rows. */
class NewSizeTest {

  private static final Values HEAD = Values.random(1, 5, 4);
  private static final Values BIAS = Values.random(2, 5);

  @TempDir Path folder;

  private static Graphs input() {
    return Graphs.create().input("x", 3, 4);
  }

  /** A head of two labels by Gemm. */
  private static Graphs head() {
    return input()
        .weight("head.weight", Values.random(3, 2, 4))
        .weight("head.bias", Values.random(4, 2))
        .node(Node.of("Gemm", "x", "head.weight", "head.bias").to("logits").with("transB", 1));
  }

  private static Adapters five() {
    return Adapters.create().saved("head.weight", HEAD).saved("head.bias", BIAS);
  }

  private static void classifies(Folding folding, String output) {
    float[] x = folding.fed("x");
    float[] y = folding.after(output);
    assertThat(y).hasSize(x.length / 4 * 5);
    for (int i = 0; i < y.length; i++) {
      double sum = BIAS.floats()[i % 5];
      for (int j = 0; j < 4; j++) {
        sum += (double) x[i / 5 * 4 + j] * HEAD.at(i % 5, j);
      }
      assertThat((double) y[i]).isCloseTo(sum, within(1e-5));
    }
    folding.checks();
  }

  private static List<Long> dims(ValueInfoProto value) {
    return value.getType().getTensorType().getShape().getDimList().stream()
        .map(d -> d.hasDimValue() ? d.getDimValue() : -1)
        .toList();
  }

  private static List<Long> declaredOutput(Folding folding) {
    return dims(OnnxModel.open(folding.output()).proto().getGraph().getOutput(0));
  }

  private List<Miss> misses(Graphs graphs, Adapters adapter) {
    return Folding.bind(folder, graphs, adapter).misses();
  }

  static Stream<Arguments> graphsThatKeepTheOldNumber() {
    return Stream.of(
        Arguments.of(
            "Reshape",
            head()
                .integers("shape", -1, 2)
                .node(Node.of("Reshape", "logits", "shape").to("y"))
                .output("y", 3, 2)),
        Arguments.of(
            "Slice",
            head()
                .integers("from", 0)
                .integers("to", 2)
                .integers("axes", -1)
                .node(Node.of("Slice", "logits", "from", "to", "axes").to("y"))
                .output("y", 3, 2)),
        Arguments.of(
            "Slice",
            head()
                .integers("from", 0)
                .integers("to", 2)
                .integers("axes", 1)
                .node(Node.of("Slice", "logits", "from", "to", "axes").to("y"))
                .output("y", 3, 2)),
        Arguments.of(
            "Split",
            head()
                .node(Node.of("Split", "logits").to("y", "z").with("axis", -1))
                .output("y", 3, 1)),
        Arguments.of(
            "'temperature', which keeps the old size",
            head()
                .weight("temperature", Values.random(7, 2))
                .node(Node.of("Mul", "logits", "temperature").to("y"))
                .output("y", 3, 2)),
        Arguments.of(
            "sums over it",
            head()
                .weight("next.weight", Values.random(7, 2, 3))
                .node(Node.of("MatMul", "logits", "next.weight").to("y"))
                .output("y", 3, 3)),
        Arguments.of(
            "Concat",
            head()
                .node(Node.of("Concat", "logits", "x").to("y").with("axis", 1))
                .output("y", 3, 6)),
        Arguments.of(
            "numbers that mean the old ones",
            head()
                .integers("one", 1)
                .node(Node.of("Gather", "logits", "one").to("y").with("axis", 1))
                .output("y", 3, 1)),
        Arguments.of(
            "declared with 7",
            head()
                .declared("logits", 3, 7)
                .node(Node.of("Relu", "logits").to("y"))
                .output("y", 3, 2)));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("graphsThatKeepTheOldNumber")
  void refusesAGraphThatKeepsTheOldNumberOfLabels(String what, Graphs graphs) {
    List<Miss> misses = misses(graphs, five());

    assertThat(misses).isNotEmpty().allMatch(m -> m.cause() == Miss.Cause.UNSUPPORTED);
    assertThat(misses)
        .anySatisfy(m -> assertThat(m.reason()).contains("from 2 to 5").contains(what));
  }

  @Test
  void refusesToSqueezeARegressionIntoLabels() {
    Graphs graphs =
        input()
            .weight("head.weight", Values.random(3, 1, 4))
            .weight("head.bias", Values.random(4, 1))
            .integers("last", -1)
            .node(Node.of("Gemm", "x", "head.weight", "head.bias").to("v").with("transB", 1))
            .node(Node.of("Squeeze", "v", "last").to("y"))
            .output("y", 3);

    assertThat(misses(graphs, five()))
        .anySatisfy(m -> assertThat(m.reason()).contains("from 1 to 5", "Squeeze"));
  }

  @Test
  void refusesAHeadWhoseBiasTheAdapterDoesNotHave() {
    Graphs graphs = head().output("logits", 3, 2);

    assertThat(misses(graphs, Adapters.create().saved("head.weight", HEAD)))
        .singleElement()
        .satisfies(m -> assertThat(m.reason()).contains("the bias of Gemm", "save it too"));
  }

  @Test
  void refusesABiasWhoseWeightTheAdapterDoesNotHave() {
    Graphs graphs = head().output("logits", 3, 2);

    assertThat(misses(graphs, Adapters.create().saved("head.bias", BIAS)))
        .singleElement()
        .satisfies(
            m -> assertThat(m.reason()).contains("the weight of Gemm", "keeps the old size"));
  }

  @Test
  void refusesANewBiasThatTheWeightDoesNotMatch() {
    Graphs graphs =
        input()
            .weight("head.weight", Values.random(3, 2, 4))
            .node(Node.of("Gemm", "x", "head.weight").to("y").named("/head/Gemm").with("transB", 1))
            .output("y", 3, 2);
    Adapters mixed =
        Adapters.create().saved("head.weight", HEAD).saved("head.bias", Values.random(4, 3));

    assertThat(misses(graphs, mixed))
        .singleElement()
        .satisfies(m -> assertThat(m.reason()).contains("shape [3]", "has 5 outputs"));
  }

  @Test
  void refusesAHeadOfAnotherWidth() {
    Graphs graphs = head().output("logits", 3, 2);
    Adapters wide =
        Adapters.create().saved("head.weight", Values.random(1, 5, 6)).saved("head.bias", BIAS);

    assertThat(misses(graphs, wide))
        .anySatisfy(m -> assertThat(m.reason()).contains("shape [5, 6]", "has [2, 4]"));
  }

  @Test
  void refusesAHeadInASubgraph() {
    Graphs branch =
        Graphs.create()
            .output("b", 3, 2)
            .node(
                Node.of("Gemm", "x", "head.weight").to("b").named("/head/Gemm").with("transB", 1));
    Graphs other =
        Graphs.create()
            .output("c", 3, 2)
            .node(
                Node.of("Gemm", "x", "head.weight").to("c").named("/head/Gemm").with("transB", 1));
    Graphs graphs =
        input()
            .input(DType.BOOL, "choice")
            .weight("head.weight", Values.random(3, 2, 4))
            .node(
                Node.of("If", "choice")
                    .to("y")
                    .with("then_branch", branch)
                    .with("else_branch", other))
            .output("y", 3, 2);

    assertThat(misses(graphs, Adapters.create().saved("head.weight", HEAD)))
        .singleElement()
        .satisfies(m -> assertThat(m.reason()).contains("in a subgraph"));
  }

  @Test
  void replacesAHeadAndWhatIsDeclaredOfIt() {
    Graphs graphs =
        head()
            .declared("logits", 3, 2)
            .declared("head.weight", 2, 4)
            .declared("x", 3, 4)
            .node(Node.of("Softmax", "logits").to("p").with("axis", -1))
            .node(Node.of("Log", "p").to("y"))
            .output("y", 3, 2)
            .output("logits", -1, 2);
    Folding folding = Folding.of(folder, graphs, five());

    classifies(folding, "logits");
    assertThat(declaredOutput(folding)).containsExactly(3L, 5L);
    assertThat(OnnxModel.open(folding.output()).proto().getGraph().getValueInfoList())
        .extracting(NewSizeTest::dims)
        .containsExactly(List.of(3L, 5L), List.of(5L, 4L), List.of(3L, 4L));
    assertThat(folding.graphChanges())
        .containsExactlyInAnyOrder(
            "shape head.weight",
            "shape head.bias",
            "declared head.weight",
            "declared logits",
            "declared logits",
            "declared y");
  }

  @Test
  void replacesAHeadThatIsKeptTheOtherWayRound() {
    Graphs graphs =
        input()
            .weight("onnx::MatMul_3", Values.random(3, 4, 2))
            .weight("head.bias", Values.random(4, 2))
            .node(Node.of("MatMul", "x", "onnx::MatMul_3").to("p").named("/head/MatMul"))
            .node(Node.of("Add", "head.bias", "p").to("y").named("/head/Add"))
            .output("y", 3, 2);
    Folding folding = Folding.of(folder, graphs, five());

    classifies(folding, "y");
    assertThat(declaredOutput(folding)).containsExactly(3L, 5L);
  }

  @Test
  void givesANewHeadTheBiasThatTheExporterDropped() {
    Graphs graphs =
        input()
            .weight("head.weight", Values.random(3, 2, 4))
            .node(Node.of("Gemm", "x", "head.weight").to("y").named("/head/Gemm").with("transB", 1))
            .output("y", 3, 2);

    classifies(Folding.of(folder, graphs, five()), "y");
  }

  @Test
  void leavesTheChoiceOfTheLargestAsItIs() {
    Graphs graphs =
        head()
            .node(Node.of("ArgMax", "logits").to("y").with("axis", 1).with("keepdims", 1))
            .output(DType.INT64, "y", 3, 1)
            .output("logits", 3, 2);
    Folding folding = Folding.of(folder, graphs, five());

    classifies(folding, "logits");
    assertThat(declaredOutput(folding)).containsExactly(3L, 1L);
  }

  @Test
  void followsTheLastTokensAnswer() {
    Graphs graphs =
        Graphs.create()
            .input("x", 2, 3, 4)
            .weight("w", Values.random(3, 4, 2))
            .integers("two", 2)
            .node(Node.of("MatMul", "x", "w").to("all").named("/score/MatMul"))
            .node(Node.of("Gather", "all", "two").to("last").with("axis", 1))
            .node(Node.of("Transpose", "last").to("y").with("perm", List.of(2L, 0L, 1L)))
            .output("y", 2, 2, 1);
    Adapters adapter = Adapters.create().saved("score.weight", HEAD);
    Folding folding = Folding.of(folder, graphs, adapter);

    folding.checks();
    assertThat(folding.after("y")).hasSize(10);
    assertThat(declaredOutput(folding)).containsExactly(5L, 2L, 1L);
  }

  @Test
  void growsATableInPlace() {
    Values table = Values.random(5, 7, 4);
    Graphs graphs =
        Graphs.create()
            .input(DType.INT64, "ids", 2)
            .weight("embed.weight", Values.random(6, 5, 4))
            .node(Node.of("Gather", "embed.weight", "ids").to("y").named("/embed/Gather"))
            .output("y", 2, 4);
    Folding folding = Folding.of(folder, graphs, Adapters.create().saved("embed.weight", table));

    assertThat(folding.after("y")).containsExactly(rows(table, 0, 1));
    assertThat(folding.stored("embed.weight")).containsExactly(table.floats());
    folding.checks();
  }

  private static float[] rows(Values table, int... rows) {
    float[] picked = new float[rows.length * table.columns()];
    for (int i = 0; i < picked.length; i++) {
      picked[i] = table.at(rows[i / table.columns()], i % table.columns());
    }
    return picked;
  }

  @Test
  void growsATableInADataFileBehindEverythingElse() {
    Values table = Values.random(5, 7, 4);
    Values old = Values.random(6, 5, 4);
    Graphs graphs =
        Graphs.create()
            .input(DType.INT64, "ids", 2)
            .external("embed.weight", old, "data.bin")
            .external("other", Values.random(8, 3), "data.bin")
            .weight("zero", Values.filled(0))
            .node(Node.of("Gather", "embed.weight", "ids").to("e").named("/embed/Gather"))
            .node(Node.of("Add", "e", "zero").to("y"))
            .output("y", 2, 4);
    Folding folding = Folding.of(folder, graphs, Adapters.create().saved("embed.weight", table));

    assertThat(folding.stored("embed.weight")).containsExactly(table.floats());
    folding.checks();
    OnnxModel merged = OnnxModel.open(folding.output());
    assertThat(merged.dataFiles().values())
        .singleElement()
        .satisfies(f -> assertThat(f.toFile().length()).isEqualTo(4096 + 7 * 4 * 4));
  }

  /** A tied table grows at both ends, whose outputs then count the new tokens. */
  @Test
  void growsATiedTableAtBothEnds() {
    Values table = Values.random(5, 7, 4);
    Adapters adapter =
        Adapters.create()
            .tensor("embed_tokens.weight", table)
            .lora("other", 4, 4)
            .config("target_modules", "[\"other\"]");
    Folding folding =
        Folding.of(
            folder,
            withOther(tied()),
            adapter,
            Map.of("ids", HostTensor.ofIntegers(DType.INT64, Shape.of(2), new long[] {1, 4})));
    assertThat(folding.after("e")).containsExactly(rows(table, 1, 4));
    assertThat(folding.after("logits")).hasSize(3 * 7);
    folding.checks();
  }

  private static Graphs tied() {
    return Graphs.create()
        .input("x", 3, 4)
        .input(DType.INT64, "ids", 2)
        .weight("embed_tokens.weight", Values.random(6, 5, 4))
        .node(Node.of("Gather", "embed_tokens.weight", "ids").to("e").named("/embed_tokens/Gather"))
        .node(Node.of("Transpose", "embed_tokens.weight").to("t"))
        .node(Node.of("MatMul", "x", "t").to("logits").named("/lm_head/MatMul"))
        .output("e", 2, 4)
        .output("logits", 3, 5);
  }

  private static Graphs withOther(Graphs graphs) {
    return graphs
        .weight("other.weight", Values.random(9, 4, 4))
        .node(Node.of("Gemm", "x", "other.weight").to("o").with("transB", 1))
        .output("o", 3, 4);
  }
}
