package dev.graft.match;

import static org.assertj.core.api.Assertions.assertThat;

import dev.graft.testing.Adapters;
import dev.graft.testing.Folding;
import dev.graft.testing.Graphs;
import dev.graft.testing.Node;
import dev.graft.testing.Values;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Weights in model-local functions, and weights that are handed into them. */
class FunctionTest {

  private static final Values V = Values.random(1, 4, 4);
  private static final Values W = Values.random(2, 4, 4);

  @TempDir Path folder;

  private static Graphs linear() {
    return Graphs.create()
        .input("x", -1, 4)
        .output("a", -1, 4)
        .output("b", -1, 4)
        .function("Linear", List.of("x", "weight"), "y", Node.of("MatMul", "x", "weight").to("y"));
  }

  private static Node call(String weight, String output) {
    return Node.of("local.Linear", "x", weight).to(output);
  }

  @Test
  void refusesAnOperatorWhoseOrientationTheCallDecides() {
    Graphs graphs =
        Graphs.create()
            .input("x", -1, 4)
            .output("a", -1, 4)
            .weight("a.weight", V)
            .function(
                "Linear",
                List.of("x", "w"),
                "y",
                Node.of("Gemm", "x", "w").to("y").referring("transB", "turned"))
            .node(call("a.weight", "a").with("turned", 1));

    assertThat(Folding.bind(folder, graphs, Adapters.create().lora("a", 4, 4)).misses())
        .singleElement()
        .satisfies(m -> assertThat(m.cause()).isEqualTo(Miss.Cause.ABSENT));
  }

  @Test
  void refusesToSplitAWeightInsideAFunction() {
    Graphs graphs =
        Graphs.create()
            .input("x", -1, 4)
            .output("a", -1, 4)
            .function(
                "Both",
                List.of("x"),
                "y",
                Node.constant(V).to("k"),
                Node.of("MatMul", "x", "k").to("h").named("/a/MatMul"),
                Node.of("MatMul", "h", "k").to("y").named("/b/MatMul"))
            .node(Node.of("local.Both", "x").to("a"));

    assertThat(Folding.bind(folder, graphs, Adapters.create().lora("a", 4, 4)).misses())
        .singleElement()
        .satisfies(m -> assertThat(m.reason()).contains("is shared with MatMul '/b/MatMul'"));
  }

  @Test
  void findsAConstantInAFunction() {
    Graphs graphs =
        Graphs.create()
            .input("x", -1, 4)
            .output("a", -1, 4)
            .function(
                "Layer",
                List.of("x"),
                "y",
                Node.constant(V).to("k"),
                Node.of("MatMul", "x", "k").to("y").named("/a/MatMul"))
            .node(Node.of("local.Layer", "x").to("a"));

    Folding.of(folder, graphs, Adapters.create().lora("a", 4, 4)).moves("a", "a").checks();
  }

  @Test
  void tellsTheCallsOfOneFunctionApartByTheirWeights() {
    Graphs graphs =
        linear()
            .weight("a.weight", V)
            .weight("b.weight", W)
            .node(call("a.weight", "a"))
            .node(call("b.weight", "b"));

    Folding.of(folder.resolve("1"), graphs, Adapters.create().lora("a", 4, 4))
        .moves("a", "a")
        .keeps("b")
        .checks();
    Folding.of(folder.resolve("2"), graphs, Adapters.create().lora("a", 4, 4).lora("b", 4, 4))
        .moves("a", "a")
        .moves("b", "b");
  }

  @Test
  void tellsTheCallsOfOneFunctionApartByTheirNodes() {
    Graphs graphs =
        linear()
            .weight("onnx::1", V)
            .weight("onnx::2", W)
            .node(call("onnx::1", "a").named("/m/a/Linear"))
            .node(call("onnx::2", "b").in("m.b"));

    Folding.of(folder, graphs, Adapters.create().lora("m.a", 4, 4).lora("m.b", 4, 4))
        .moves("a", "m.a")
        .moves("b", "m.b");
  }

  @Test
  void splitsAWeightThatTwoCallsShare() {
    Graphs graphs =
        linear()
            .weight("w", V)
            .node(call("w", "a").named("/a/Linear"))
            .node(call("w", "b").named("/b/Linear"));

    Folding folding = Folding.of(folder, graphs, Adapters.create().lora("b", 4, 4));

    folding.moves("b", "b").keeps("a").checks();
    assertThat(folding.splitBytes()).isEqualTo(4 * 4 * 4);
  }

  @Test
  void followsAWeightThroughSeveralFunctions() {
    Graphs graphs =
        linear()
            .function(
                "Block",
                List.of("x", "w"),
                "y",
                Node.of("Transpose", "w").to("t"),
                Node.of("local.Linear", "x", "t").to("y"))
            .weight("a.weight", V)
            .weight("b.weight", W)
            .node(Node.of("local.Block", "x", "a.weight").to("a"))
            .node(Node.of("local.Block", "x", "b.weight").to("b"));

    Folding.of(folder, graphs, Adapters.create().lora("a", 4, 4).lora("b", 4, 4))
        .moves("a", "a")
        .moves("b", "b")
        .checks();
  }

  @Test
  void doesNotTakeTheNameOfAFunctionsInputForAModule() {
    Graphs graphs =
        Graphs.create()
            .input("x", -1, 4)
            .output("a", -1, 4)
            .output("b", -1, 4)
            .function(
                "Linear", List.of("x", "a.weight"), "y", Node.of("MatMul", "x", "a.weight").to("y"))
            .weight("a.weight", V)
            .weight("b.weight", W)
            .node(call("a.weight", "a"))
            .node(call("b.weight", "b"));

    Folding.of(folder, graphs, Adapters.create().lora("a", 4, 4)).moves("a", "a").keeps("b");
  }

  @Test
  void replacesABiasThatIsHandedIntoAFunction() {
    Graphs graphs =
        Graphs.create()
            .input("x", -1, 4)
            .output("a", -1, 4)
            .function(
                "Linear",
                List.of("x", "w", "c"),
                "y",
                Node.of("Gemm", "x", "w", "c").to("y").with("transB", 1))
            .weight("head.weight", V)
            .weight("onnx::5", Values.random(3, 4))
            .node(Node.of("local.Linear", "x", "head.weight", "onnx::5").to("a"));
    Adapters adapter =
        Adapters.create().saved("head.weight", V).saved("head.bias", Values.filled(5, 4));

    Folding folding = Folding.of(folder, graphs, adapter);

    float[] bias = Values.random(3, 4).floats();
    float[] before = folding.before("a");
    float[] after = folding.after("a");
    for (int i = 0; i < after.length; i++) {
      assertThat(after[i] - before[i])
          .isCloseTo(5 - bias[i % 4], org.assertj.core.data.Offset.offset(1e-5f));
    }
  }
}
