package dev.graft.match;

import static org.assertj.core.api.Assertions.assertThat;

import dev.graft.tensor.DType;
import dev.graft.tensor.Shape;
import dev.graft.testing.Folding;
import dev.graft.testing.Graphs;
import dev.graft.testing.Node;
import dev.graft.testing.Values;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class SiteIndexTest {

  private static final Values W = Values.random(1, 4, 4);

  @TempDir Path folder;

  private List<Site> sites(Graphs graphs) {
    return Folding.index(folder, graphs).sites();
  }

  @Test
  void findsNoSiteWhereNoStoredMatrixActs() {
    Graphs graphs =
        Graphs.create()
            .input("x", -1, 4)
            .input("z", 4, 4)
            .weight("w", W)
            .weight("vector", Values.random(1, 4))
            .weight("cube", Values.random(1, 1, 4, 4))
            .node(Node.of("MatMul", "x", "z").to("1"))
            .node(Node.of("MatMul", "x", "vector").to("2"))
            .node(Node.of("MatMul", "x", "cube").to("3"))
            .node(Node.of("Add", "x", "w").to("4"))
            .node(Node.of("Gather", "w", "x").to("5").with("axis", 1))
            .node(Node.of("Relu", "w").to("6"))
            .node(Node.of("MatMul", "x", "6").to("7"))
            .node(Node.of("Cast", "w").to("8").with("to", 7))
            .node(Node.of("MatMul", "x", "8").to("9"))
            .node(Node.of("MatMul", "x", "nowhere").to("10"))
            .node(Node.of("MatMul", "x").to("11"))
            .node(Node.of("MatMul").to("12"))
            .node(Node.of("other.MatMul", "x", "w").to("13"))
            .node(Node.of("Transpose", "cube").to("14").with("perm", List.of(0L, 2L, 1L)))
            .node(Node.of("MatMul", "x", "14").to("15"));

    assertThat(sites(graphs)).isEmpty();
  }

  @Test
  void findsNoSiteOnASparseOrTurnedConvolution() {
    Graphs graphs =
        Graphs.create()
            .input("x", 1, 4, 4, 4)
            .weight("k", Values.random(1, 4, 4, 1, 1))
            .node(Node.of("Transpose", "k").to("t"))
            .node(Node.of("Conv", "x", "t").to("y"));

    assertThat(sites(graphs)).isEmpty();
  }

  @Test
  void findsLinearLayersEmbeddingsAndConvolutions() {
    Graphs graphs =
        Graphs.create()
            .input("x", -1, 4)
            .input(DType.INT64, "ids", 2)
            .weight("w", W)
            .weight("k", Values.random(1, 4, 4, 1, 1))
            .node(Node.of("MatMul", "x", "w").to("1"))
            .node(Node.of("Gather", "w", "ids").to("2"))
            .node(Node.of("Conv", "x", "k").to("3"));

    assertThat(sites(graphs))
        .extracting(Site::kind)
        .containsExactly(Site.Kind.LINEAR, Site.Kind.EMBEDDING, Site.Kind.CONV);
  }

  @ParameterizedTest
  @CsvSource({
    "MatMulInteger, 1",
    "ConvInteger, 1",
    "com.microsoft.MatMulNBits, 1",
    "com.microsoft.DynamicQuantizeMatMul, 1",
    "com.microsoft.MatMulIntegerToFloat, 1",
    "com.microsoft.MatMulFpQ4, 1",
    "com.microsoft.MatMulBnb4, 1",
    "QLinearMatMul, 3",
    "QLinearConv, 3",
    "com.microsoft.QGemm, 3",
    "com.microsoft.QMoE, 2",
    "com.microsoft.GatherBlockQuantized, 0",
  })
  void knowsWhereQuantisedOperatorsReadTheirWeight(String operator, int input) {
    String[] inputs = {"x", "x", "x", "x"};
    inputs[input] = "w";
    Graphs graphs =
        Graphs.create()
            .input("x", -1, 4)
            .weight("w", new Values(DType.UINT8, Shape.of(4, 1, 2), new float[8]))
            .node(Node.of(operator, inputs).to("y"));

    assertThat(sites(graphs))
        .singleElement()
        .satisfies(s -> assertThat(s.kind()).isEqualTo(Site.Kind.QUANTISED));
  }

  @Test
  void namesASiteByItsNearestWeightOnly() {
    Graphs graphs =
        Graphs.create()
            .input("x", -1, 4)
            .weight("a.weight", W)
            .node(Node.of("Identity", "a.weight").to("b.weight"))
            .node(Node.of("MatMul", "x", "b.weight").to("y"));

    assertThat(sites(graphs))
        .singleElement()
        .satisfies(
            s -> assertThat(s.names()).containsExactly(new SiteName("b", NameRule.INITIALIZER)));
  }

  @Test
  void givesEveryNameWithItsRule() {
    Graphs graphs =
        Graphs.create()
            .input("x", -1, 4)
            .weight("layers.0.attn.q.weight", W)
            .foldedFrom("layers.0.attn.q.weight", "[\"it's.weight\"]")
            .node(
                Node.of("MatMul", "x", "layers.0.attn.q.weight")
                    .to("y")
                    .in("a.b")
                    .named("/c/d/MatMul"));

    assertThat(sites(graphs).getFirst().names())
        .containsExactly(
            new SiteName("layers.0.attn.q", NameRule.INITIALIZER),
            new SiteName("it's", NameRule.FOLDED_FROM),
            new SiteName("a.b", NameRule.NAME_SCOPE),
            new SiteName("c.d", NameRule.NODE_PATH),
            new SiteName("layers.0.self_attn.q", NameRule.GENAI));
  }

  @Test
  void knowsParametersOfAllGraphs() {
    Graphs body =
        Graphs.create()
            .output("t", -1, 4)
            .weight("inner.weight", W)
            .node(Node.of("MatMul", "x", "inner.weight").to("t"));
    SiteIndex index =
        Folding.index(
            folder,
            Graphs.create()
                .input("x", -1, 4)
                .input(DType.BOOL, "c")
                .weight("outer.weight", W)
                .node(Node.of("Identity", "outer.weight").to("renamed.weight"))
                .node(
                    Node.of("If", "c")
                        .to("y")
                        .with("then_branch", body)
                        .with("else_branch", body)));

    assertThat(index.parameterNames())
        .containsExactly("inner.weight", "outer.weight", "renamed.weight");
    assertThat(index.parameter("inner.weight")).hasSize(2);
    assertThat(index.hasParameterWithin("inner")).isTrue();
    assertThat(index.hasParameterWithin("inne")).isFalse();
    assertThat(index.hasParameterWithin("zzz")).isFalse();
  }
}
