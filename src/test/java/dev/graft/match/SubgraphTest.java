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
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Weights that are read, or stand, in the branches of an If and in the body of a Loop. */
class SubgraphTest {

  private static final Values W = Values.random(1, 4, 4);

  @TempDir Path folder;

  private static Graphs branch(String weight, String output) {
    return Graphs.create()
        .output(output, -1, 4)
        .node(Node.of("MatMul", "x", weight).to(output).named("/fc/MatMul"));
  }

  private static Graphs ifs(Graphs then, Graphs otherwise) {
    return Graphs.create()
        .input(DType.BOOL, "c")
        .input("x", -1, 4)
        .output("y", -1, 4)
        .node(
            Node.of("If", "c")
                .to("y")
                .named("optimum::if")
                .with("then_branch", then)
                .with("else_branch", otherwise));
  }

  private Folding fold(Graphs graphs, int condition) {
    return Folding.of(
        folder.resolve("c" + condition),
        graphs,
        Adapters.create().lora("fc", 4, 4),
        Map.of("c", HostTensor.ofIntegers(DType.BOOL, Shape.of(), condition)));
  }

  @Test
  void refusesBranchesWithDifferentWeights() {
    Graphs graphs =
        ifs(branch("v", "t").weight("v", W), branch("w", "e").weight("w", Values.random(2, 4, 4)));

    assertThat(Folding.bind(folder, graphs, Adapters.create().lora("fc", 4, 4)).misses())
        .singleElement()
        .satisfies(m -> assertThat(m.reason()).contains("2 different weights"));
  }

  @Test
  void refusesEqualWeightsThatBranchesReadInDifferentWays() {
    Graphs graphs =
        ifs(
            branch("v", "t").weight("v", W),
            Graphs.create()
                .output("e", -1, 4)
                .weight("w", W)
                .node(Node.of("Gemm", "x", "w").to("e").named("/fc/Gemm").with("transB", 1)));

    assertThat(Folding.bind(folder, graphs, Adapters.create().lora("fc", 4, 4)).misses())
        .singleElement()
        .satisfies(m -> assertThat(m.cause()).isEqualTo(Miss.Cause.UNSUPPORTED));
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1})
  void servesBothBranchesWithOneFold(int condition) {
    Folding folding = fold(ifs(branch("w", "t"), branch("w", "e")).weight("w", W), condition);

    folding.moves("y", "fc").checks();
    assertThat(folding.splitBytes()).isZero();
    assertThat(folding.target("fc").place().spots()).hasSize(1);
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1})
  void foldsTheCopyInEachBranch(int condition) {
    Folding folding =
        fold(ifs(branch("v", "t").weight("v", W), branch("w", "e").weight("w", W)), condition);

    folding.moves("y", "fc").checks();
    assertThat(folding.splitBytes()).isZero();
    assertThat(folding.target("fc").place().spots()).hasSize(2);
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1})
  void foldsCopiesOfOneNameInTheDataFile(int condition) {
    Folding folding =
        fold(
            ifs(
                    branch("w", "t").external("w", W, "weights.bin", 0),
                    branch("w", "e").external("w", W, "weights.bin", 64))
                .external("a", W, "weights.bin")
                .external("b", W, "weights.bin"),
            condition);

    folding.moves("y", "fc").checks();
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1})
  void splitsAWeightThatOneBranchGivesToAnotherModule(int condition) {
    Graphs other =
        Graphs.create()
            .output("e", -1, 4)
            .node(Node.of("MatMul", "x", "w").to("e").named("/other/MatMul"));
    Folding folding = fold(ifs(branch("w", "t"), other).weight("w", W), condition);

    if (condition == 1) {
      folding.moves("y", "fc");
    } else {
      folding.keeps("y");
    }
    folding.checks();
    assertThat(folding.splitBytes()).isEqualTo(4 * 4 * 4);
  }

  @Test
  void splitsAWeightThatABranchAlsoReturns() {
    Graphs then = Graphs.create().output("t", -1, 4).node(Node.of("Identity", "w").to("t"));
    Folding folding = fold(ifs(then, branch("w", "e")).weight("w", W), 1);

    folding.keeps("y").checks();
    assertThat(folding.splitBytes()).isEqualTo(4 * 4 * 4);
  }

  @Test
  void findsConstantsInBranches() {
    Graphs then =
        Graphs.create()
            .output("t", -1, 4)
            .node(Node.constant(W).to("k"))
            .node(Node.of("MatMul", "x", "k").to("t").named("/fc/MatMul"));
    Graphs otherwise =
        Graphs.create()
            .output("e", -1, 4)
            .node(Node.constant(W).to("k2"))
            .node(Node.of("MatMul", "x", "k2").to("e").named("/fc/MatMul"));

    fold(ifs(then, otherwise), 1).moves("y", "fc").checks();
    fold(ifs(then, otherwise), 0).moves("y", "fc").checks();
  }

  @Test
  void foldsAWeightInTheBodyOfALoop() {
    Graphs body =
        Graphs.create()
            .input(DType.INT64, "i")
            .input(DType.BOOL, "go")
            .input("s", -1, 4)
            .output(DType.BOOL, "go_on")
            .output("s_out", -1, 4)
            .weight("w", W)
            .node(Node.of("Identity", "go").to("go_on"))
            .node(Node.of("MatMul", "s", "w").to("s_out").named("/fc/MatMul"));
    Graphs graphs =
        Graphs.create()
            .input(DType.INT64, "n")
            .input(DType.BOOL, "c")
            .input("x", -1, 4)
            .output("y", -1, 4)
            .node(Node.of("Loop", "n", "c", "x").to("y").with("body", body));

    Folding.of(
            folder,
            graphs,
            Adapters.create().lora("fc", 4, 4),
            Map.of(
                "n", HostTensor.ofLongs(Shape.of(), 1),
                "c", HostTensor.ofIntegers(DType.BOOL, Shape.of(), 1)))
        .moves("y", "fc")
        .checks();
  }

  @Test
  void doesNotTakeALoopsRunningValueForAWeight() {
    Graphs body =
        Graphs.create()
            .input(DType.INT64, "i")
            .input(DType.BOOL, "go")
            .input("s", 4, 4)
            .output(DType.BOOL, "go_on")
            .output("s_out", 4, 4)
            .node(Node.of("Identity", "go").to("go_on"))
            .node(Node.of("MatMul", "x", "s").to("s_out").named("/fc/MatMul"));
    Graphs graphs =
        Graphs.create()
            .input(DType.INT64, "n")
            .input(DType.BOOL, "c")
            .input("x", 4, 4)
            .output("y", 4, 4)
            .weight("w", W)
            .node(Node.of("Loop", "n", "c", "w").to("y").with("body", body));

    assertThat(Folding.bind(folder, graphs, Adapters.create().lora("fc", 4, 4)).bound()).isEmpty();
  }
}
