package dev.graft.match;

import static org.assertj.core.api.Assertions.assertThat;

import dev.graft.graph.ModelGraph;
import dev.graft.graph.Value;
import dev.graft.match.AttentionRoles.Role;
import dev.graft.testing.Folding;
import dev.graft.testing.Graphs;
import dev.graft.testing.Node;
import dev.graft.testing.Values;
import java.nio.file.Path;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Query, key and value are told apart by what becomes of them. */
class AttentionRolesTest {

  @TempDir Path folder;

  private Optional<Role> of(Graphs graphs, String value) {
    ModelGraph graph = Folding.index(folder, graphs).graph();
    return new AttentionRoles(graph).of(new Value(graph.main(), value));
  }

  /** Plain arithmetic: scaled scores with a mask, then the values behind a dropout. */
  private static Graphs arithmetic() {
    return Graphs.create()
        .input("q", 2, 4)
        .input("k", 2, 4)
        .input("v", 2, 4)
        .input("past", 1, 4)
        .input("m", 2, 3)
        .output("y", 2, 4)
        .weight("s", Values.filled(0.5f, 1))
        .node(Node.of("Mul", "q", "s").to("qs"))
        .node(Node.of("Concat", "past", "k").to("kk").with("axis", 0))
        .node(Node.of("Transpose", "kk").to("kt"))
        .node(Node.of("MatMul", "qs", "kt").to("scores"))
        .node(Node.of("Add", "scores", "m").to("masked"))
        .node(Node.of("Softmax", "masked").to("p"))
        .node(Node.of("Identity", "p").to("pd"))
        .node(Node.of("Concat", "past", "v").to("vv").with("axis", 0))
        .node(Node.of("MatMul", "pd", "vv").to("y"));
  }

  @Test
  void knowsNoRoleOfWhatIsNoPartOfAnAttention() {
    Graphs graphs =
        Graphs.create()
            .input("a", 2, 2)
            .output("y", 2, 2)
            .output("n", 2)
            .weight("w", Values.random(1, 2, 2))
            .node(Node.of("MatMul", "a", "w").to("y"))
            .node(Node.of("Shape", "a").to("n"));

    assertThat(of(graphs, "a")).isEmpty();
    assertThat(of(graphs, "none")).isEmpty();
  }

  @Test
  void knowsNoRoleOfWhatHasTwo() {
    assertThat(of(arithmetic(), "past")).isEmpty();
  }

  @ParameterizedTest
  @CsvSource({"q, QUERY", "k, KEY", "v, VALUE"})
  void followsTheArithmetic(String value, Role role) {
    assertThat(of(arithmetic(), value)).contains(role);
  }

  @ParameterizedTest
  @CsvSource({"q, QUERY", "k, KEY", "v, VALUE"})
  void knowsTheInputsOfFusedOperators(String value, Role role) {
    for (String operator :
        new String[] {
          "Attention", "com.microsoft.MultiHeadAttention", "com.microsoft.GroupQueryAttention"
        }) {
      Graphs graphs =
          Graphs.create()
              .input("q", 2, 4)
              .input("k", 2, 4)
              .input("v", 2, 4)
              .node(Node.of(operator, "q", "k", "v").to("y"));

      assertThat(of(graphs, value)).as(operator).contains(role);
    }
  }

  @Test
  void endsInAGraphThatTurnsInACircle() {
    Graphs graphs =
        Graphs.create()
            .input("q", 2, 4)
            .node(Node.of("Add", "q", "b").to("a"))
            .node(Node.of("Identity", "a").to("b"));

    assertThat(of(graphs, "q")).isEmpty();
  }
}
