package dev.graft.graph;

import static org.assertj.core.api.Assertions.assertThat;

import dev.graft.onnx.OnnxModel;
import dev.graft.tensor.DType;
import dev.graft.testing.Graphs;
import dev.graft.testing.Node;
import dev.graft.testing.Values;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ModelGraphTest {

  private static final Values W = Values.random(1, 2, 2);

  @TempDir Path folder;

  private ModelGraph graph(Graphs graphs) {
    return ModelGraph.of(OnnxModel.open(graphs.write(folder)));
  }

  private static Graphs ifs() {
    Graphs then =
        Graphs.create().output("t", 2, 2).node(Node.of("Add", "x", "w").to("t").named("same"));
    Graphs otherwise =
        Graphs.create()
            .output("e", 2, 2)
            .weight("inner", W)
            .node(Node.of("Add", "x", "inner").to("e").named("same"));
    return Graphs.create()
        .input("x", 2, 2)
        .input(DType.BOOL, "c")
        .output("y", 2, 2)
        .weight("w", W)
        .node(Node.of("If", "c").to("y").with("then_branch", then).with("else_branch", otherwise));
  }

  @Test
  void knowsNothingOfUnknownNames() {
    ModelGraph graph = graph(ifs());

    assertThat(graph.main().resolve("nowhere")).isEmpty();
    assertThat(graph.uses(new Value(graph.main(), "nowhere"))).isEmpty();
    assertThat(graph.function(new Scope.FunctionId("local", "F", ""))).isEmpty();
    assertThat(graph.calls(new Scope.FunctionId("", "If", ""))).isEmpty();
  }

  @Test
  void seesOuterNamesFromWithinButNotTheOtherWay() {
    ModelGraph graph = graph(ifs());
    Scope inner = graph.nodes().getLast().scope();

    assertThat(inner.resolve("w")).contains(new Value(graph.main(), "w"));
    assertThat(inner.resolve("inner")).contains(new Value(inner, "inner"));
    assertThat(graph.main().resolve("inner")).isEmpty();
    assertThat(inner.outer()).contains(graph.main());
  }

  @Test
  void countsASubgraphsReadingOfAnOuterValue() {
    ModelGraph graph = graph(ifs());

    assertThat(graph.uses(new Value(graph.main(), "w")))
        .singleElement()
        .satisfies(u -> assertThat(u.node().operator()).isEqualTo("Add"));
    assertThat(graph.uses(new Value(graph.main(), "x"))).hasSize(2);
  }

  @Test
  void tellsNodesThatReadAlikeApart() {
    Graphs branch =
        Graphs.create().output("t", 2, 2).node(Node.of("Add", "x", "x").to("t").named("same"));
    ModelGraph graph =
        graph(
            Graphs.create()
                .input("x", 2, 2)
                .input(DType.BOOL, "c")
                .node(
                    Node.of("If", "c")
                        .to("y")
                        .with("then_branch", branch)
                        .with("else_branch", branch)));
    List<GraphNode> adds = graph.nodes().stream().filter(n -> n.operator().equals("Add")).toList();

    assertThat(adds).hasSize(2);
    assertThat(adds.get(0)).isNotEqualTo(adds.get(1));
    assertThat(adds.get(0).part().proto()).isEqualTo(adds.get(1).part().proto());
    assertThat(adds.get(0)).isEqualTo(new GraphNode(adds.get(0).part(), adds.get(0).scope()));
  }

  @Test
  void knowsWhatLeavesAGraph() {
    ModelGraph graph = graph(ifs().output("w", 2, 2));

    assertThat(graph.leaves(new Value(graph.main(), "w"))).isTrue();
    assertThat(graph.leaves(new Value(graph.main(), "y"))).isTrue();
    assertThat(graph.leaves(new Value(graph.main(), "x"))).isFalse();
    Scope inner = graph.nodes().getLast().scope();
    assertThat(graph.leaves(new Value(inner, "e"))).isTrue();
  }

  @Test
  void joinsTensorsWithTheirValues() {
    ModelGraph graph = graph(ifs().node(Node.constant(W).to("k")));

    assertThat(graph.model().tensors())
        .allSatisfy(t -> {
          Value value = graph.valueOf(t).orElseThrow();
          assertThat(ModelGraph.stored(value)).contains(t);
        });
    assertThat(ModelGraph.stored(new Value(graph.main(), "x"))).isEmpty();
    assertThat(ModelGraph.stored(new Value(graph.main(), "y"))).isEmpty();
  }

  @Test
  void takesEveryFreshNameOnce() {
    ModelGraph graph = graph(ifs());

    assertThat(graph.freshName("w")).isEqualTo("w_1");
    assertThat(graph.freshName("w")).isEqualTo("w_2");
    assertThat(graph.freshName("inner")).isEqualTo("inner_1");
    assertThat(graph.freshName("e")).isEqualTo("e_1");
    assertThat(graph.freshName("new")).isEqualTo("new");
    assertThat(graph.freshName("new")).isEqualTo("new_1");
  }

  @Test
  void keepsFunctionsApart() {
    ModelGraph graph =
        graph(
            Graphs.create()
                .input("x", 2, 2)
                .weight("w", W)
                .function("F", List.of("p", "q"), "r", Node.of("Add", "p", "w").to("r"))
                .node(Node.of("local.F", "x", "w").to("y")));
    Scope.FunctionId id = new Scope.FunctionId("local", "F", "");
    Scope body = graph.function(id).orElseThrow();

    assertThat(body.resolve("w")).as("a function sees its own names only").isEmpty();
    assertThat(body.input("q")).contains(1);
    assertThat(body.inputAt(1)).contains("q");
    assertThat(body.inputAt(2)).isEmpty();
    assertThat(body.function()).contains(id);
    assertThat(graph.calls(id)).extracting(GraphNode::label).containsExactly("y");
    assertThat(graph.calls(id).getFirst().callee()).isEqualTo(id);
  }

  @Test
  void readsAttributesAndMetadata() {
    ModelGraph graph =
        graph(
            Graphs.create()
                .input("x", 2, 2)
                .node(
                    Node.of("Gemm", "x", "", "x")
                        .to("y")
                        .with("transB", 1)
                        .with("alpha", 0.5f)
                        .metadata("k", "v")));
    GraphNode node = graph.nodes().getFirst();

    assertThat(node.intAttribute("transB", 0)).isEqualTo(1);
    assertThat(node.intAttribute("transA", 7)).isEqualTo(7);
    assertThat(node.floatAttribute("alpha", 1)).isEqualTo(0.5f);
    assertThat(node.metadata("k")).contains("v");
    assertThat(node.metadata("l")).isEmpty();
    assertThat(node.input(1)).as("left out").isEmpty();
    assertThat(node.input(3)).isEmpty();
    assertThat(node.hasReferringAttributes()).isFalse();
    assertThat(node).hasToString("Gemm 'y'");
  }
}
