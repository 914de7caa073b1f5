package dev.graft.match;

import static org.assertj.core.api.Assertions.assertThat;

import dev.graft.graph.ModelGraph;
import dev.graft.graph.Value;
import dev.graft.onnx.OnnxModel;
import dev.graft.tensor.DType;
import dev.graft.testing.Graphs;
import dev.graft.testing.Node;
import dev.graft.testing.Values;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Which axis of a weight is that of the inputs, by the products that read it. */
class ContractionTest {

  @TempDir Path folder;

  private Optional<Layout> layout(Node... nodes) {
    Graphs graphs =
        Graphs.create()
            .input("x", 2, 3)
            .input(DType.INT64, "i", 2)
            .output("y", 2, 3)
            .weight("w", Values.random(1, 2, 3, 4));
    for (Node node : nodes) {
      graphs.node(node);
    }
    ModelGraph graph = ModelGraph.of(OnnxModel.open(graphs.write(folder)));
    return new Contraction(graph).of(new Value(graph.main(), "w"));
  }

  @Test
  void saysNothingWhereNoProductReadsTheWeight() {
    assertThat(layout(Node.of("Add", "x", "w").to("y"))).isEmpty();
    assertThat(layout(Node.of("com.microsoft.MoE", "x", "w").to("y"))).isEmpty();
  }

  @Test
  void saysNothingWhereProductsDisagree() {
    assertThat(layout(Node.of("MatMul", "x", "w").to("y"), Node.of("MatMul", "w", "x").to("z")))
        .isEmpty();
  }

  @Test
  void doesNotFollowOperatorsThatMoveTheAxes() {
    assertThat(
            layout(
                Node.of("Transpose", "w").to("t").with("perm", List.of(1L, 0L, 2L)),
                Node.of("MatMul", "x", "t").to("y")))
        .isEmpty();
    assertThat(
            layout(
                Node.of("Gather", "w", "i").to("t").with("axis", 1),
                Node.of("MatMul", "x", "t").to("y")))
        .isEmpty();
    assertThat(
            layout(
                Node.of("Gather", "w", "i").to("t"),
                Node.of("Reshape", "t", "i").to("u"),
                Node.of("MatMul", "x", "u").to("y")))
        .isEmpty();
  }

  @Test
  void readsTheOperandsSide() {
    assertThat(layout(Node.of("MatMul", "x", "w").to("y"))).contains(Layout.IN_OUT);
    assertThat(layout(Node.of("MatMul", "w", "x").to("y"))).contains(Layout.OUT_IN);
    assertThat(
            layout(
                Node.of("Gather", "w", "i").to("t"),
                Node.of("Squeeze", "t").to("u"),
                Node.of("Gemm", "x", "u").to("y").with("transB", 1)))
        .contains(Layout.OUT_IN);
    assertThat(layout(Node.of("Gemm", "x", "w").to("y"))).contains(Layout.IN_OUT);
  }

  @Test
  void followsPickedAndTurnedExperts() {
    assertThat(
            layout(
                Node.of("GatherND", "w", "i").to("t"),
                Node.of("Transpose", "t").to("u").with("perm", List.of(0L, 2L, 1L)),
                Node.of("Cast", "u").to("v").with("to", 1),
                Node.of("MatMul", "x", "v").to("y")))
        .contains(Layout.OUT_IN);
    assertThat(
            layout(
                Node.of("Split", "w").to("a", "b").with("axis", 0),
                Node.of("MatMul", "x", "a").to("y"),
                Node.of("MatMul", "x", "b").to("z")))
        .contains(Layout.IN_OUT);
  }
}
