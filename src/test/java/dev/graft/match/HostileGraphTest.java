package dev.graft.match;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;

import dev.graft.error.UnsupportedException;
import dev.graft.testing.Adapters;
import dev.graft.testing.Folding;
import dev.graft.testing.Graphs;
import dev.graft.testing.Node;
import dev.graft.testing.Values;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.function.Supplier;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Graphs that are made to keep a reader busy for ever, or to exhaust its stack. */
class HostileGraphTest {

  private static final Values W = Values.random(1, 4, 4);
  private static final int MANY = 100_000;

  @TempDir Path folder;

  private static Graphs graph() {
    return Graphs.create().input("x", -1, 4).output("a", -1, 4).weight("w", W);
  }

  private static Node target(String weight) {
    return Node.of("MatMul", "x", weight).to("a").named("/a/MatMul");
  }

  private static <T> T soon(Supplier<T> work) {
    return assertTimeoutPreemptively(Duration.ofSeconds(60), work::get);
  }

  private Binding bind(Graphs graphs) {
    return soon(() -> Folding.bind(folder, graphs, Adapters.create().lora("a", 4, 4)));
  }

  @Test
  void endsOnANodeThatReadsItsOwnOutput() {
    assertThat(bind(graph().node(Node.of("Identity", "i").to("i")).node(target("i"))).bound())
        .isEmpty();
  }

  @Test
  void endsOnARingOfIdentities() {
    Graphs graphs =
        graph()
            .node(Node.of("Identity", "j").to("i"))
            .node(Node.of("Identity", "i").to("j"))
            .node(target("i"));

    assertThat(bind(graphs).bound()).isEmpty();
  }

  @Test
  void endsWhereValuesAreMadeSeveralTimes() {
    Graphs graphs = graph().node(Node.of("Identity", "w").to("i"));
    for (int i = 0; i < 50; i++) {
      graphs.node(Node.of("Identity", "i").to("i"));
    }

    bind(graphs.node(target("w")));
  }

  @Test
  void passesOverAnEndlessChain() {
    Graphs graphs = graph().node(Node.of("Identity", "w").to("i0"));
    for (int i = 1; i < MANY; i++) {
      graphs.node(Node.of("Identity", "i" + (i - 1)).to("i" + i));
    }

    assertThat(bind(graphs.node(target("i" + (MANY - 1)))).bound()).isEmpty();
  }

  @Test
  void splitsFromAnEndlessChainOfStrangers() {
    Graphs graphs = graph().node(Node.of("Identity", "w").to("i0"));
    for (int i = 1; i < MANY; i++) {
      graphs.node(Node.of("Identity", "i" + (i - 1)).to("i" + i));
    }
    graphs.node(Node.of("Relu", "i" + (MANY - 1)).to("r")).node(target("w"));

    assertThat(bind(graphs).bound())
        .singleElement()
        .satisfies(b -> assertThat(b.place().isSplit()).isTrue());
  }

  @Test
  void splitsFromAHundredThousandStrangers() {
    Graphs graphs = graph().node(target("w"));
    for (int i = 0; i < MANY; i++) {
      graphs.node(Node.of("Identity", "w").to("i" + i)).node(Node.of("Relu", "i" + i).to("r" + i));
    }

    assertThat(bind(graphs).bound())
        .singleElement()
        .satisfies(b -> assertThat(b.place().isSplit()).isTrue());
  }

  @Test
  void endsOnAFunctionThatCallsItself() {
    Graphs graphs =
        graph()
            .function(
                "F",
                List.of("x", "w"),
                "y",
                Node.of("local.F", "x", "w").to("h"),
                Node.of("MatMul", "h", "w").to("y"))
            .node(Node.of("local.F", "x", "w").to("a").named("/a/F"));

    bind(graphs);
  }

  @Test
  void endsOnFunctionsThatCallEachOther() {
    Graphs graphs =
        graph()
            .function(
                "F",
                List.of("x", "w"),
                "y",
                Node.of("local.G", "x", "w").to("g"),
                Node.of("local.G", "g", "w").to("h"),
                Node.of("MatMul", "h", "w").to("y"))
            .function(
                "G",
                List.of("x", "w"),
                "y",
                Node.of("local.F", "x", "w").to("g"),
                Node.of("local.F", "g", "w").to("h"),
                Node.of("MatMul", "h", "w").to("y"))
            .node(Node.of("local.F", "x", "w").to("a").named("/a/F"));

    bind(graphs);
  }

  @Test
  void refusesFunctionsThatDoubleTheWaysAtEveryLevel() {
    Graphs graphs =
        graph().function("F0", List.of("x", "w"), "y", Node.of("MatMul", "x", "w").to("y"));
    for (int i = 1; i < 30; i++) {
      String below = "local.F" + (i - 1);
      graphs.function(
          "F" + i,
          List.of("x", "w"),
          "y",
          Node.of(below, "x", "w").to("h"),
          Node.of(below, "h", "w").to("y"));
    }
    graphs.node(Node.of("local.F29", "x", "w").to("a").named("/a/F"));

    assertThatThrownBy(() -> bind(graphs))
        .isInstanceOf(UnsupportedException.class)
        .hasMessageContaining("model.onnx")
        .hasMessageContaining("inline them first");
  }

  @Test
  void refusesReadersThatDoubleAtEveryLevel() {
    Graphs graphs =
        graph().function("F0", List.of("x", "w"), "y", Node.of("Mul", "x", "w").to("y"));
    for (int i = 1; i < 30; i++) {
      String below = "local.F" + (i - 1);
      graphs.function(
          "F" + i,
          List.of("x", "w"),
          "y",
          Node.of(below, "x", "w").to("h"),
          Node.of(below, "h", "w").to("y"));
    }
    graphs.node(Node.of("local.F29", "x", "w").to("b")).node(target("w"));

    assertThatThrownBy(() -> bind(graphs))
        .isInstanceOf(UnsupportedException.class)
        .hasMessageContaining("inline its functions first");
  }

  @Test
  void findsModulesAmongAHundredThousandNames() {
    Graphs graphs = graph().node(target("w"));
    for (int i = 0; i < MANY; i++) {
      graphs.node(Node.of("Identity", "x").to("model.layers." + i + ".mlp.down_proj.weight"));
    }

    assertThat(bind(graphs).misses()).isEmpty();
    assertThat(
            soon(() ->
                Folding.bind(
                        folder.resolve("2"),
                        graphs,
                        Adapters.create().lora("layers.0.mlp.up_proj", 4, 4))
                    .misses()))
        .hasSize(1);
  }
}
