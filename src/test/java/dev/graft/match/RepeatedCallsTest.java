package dev.graft.match;

import static org.assertj.core.api.Assertions.assertThat;

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

/** A module that runs several times is one module; another one that is called so is not. */
class RepeatedCallsTest {

  private static final Values W = Values.random(1, 4, 4);
  private static final String QUERY = "enc.layer.query";

  @TempDir Path folder;

  /** Two products on one weight, the second behind an Identity, under two node names. */
  private static Graphs calls(String first, String second) {
    return Graphs.create()
        .input("x", -1, 4)
        .output("a", -1, 4)
        .output("b", -1, 4)
        .weight("onnx::MatMul_451", W)
        .node(Node.of("Identity", "onnx::MatMul_451").to("onnx::MatMul_460"))
        .node(Node.of("MatMul", "x", "onnx::MatMul_451").to("a").named(first))
        .node(Node.of("MatMul", "x", "onnx::MatMul_460").to("b").named(second));
  }

  private static Adapters adapter() {
    return Adapters.create().lora(QUERY, 4, 4);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "/enc/layer/query_x/MatMul",
        "/enc/layer/query_/MatMul",
        "/enc/layer/query1/MatMul",
        "/enc/layer/key_1/MatMul",
        "/enc/query_1/MatMul"
      })
  void leavesOtherModulesAlone(String second) {
    Folding folding = Folding.of(folder, calls("/enc/layer/query/MatMul", second), adapter());

    folding.moves("a", QUERY).keeps("b");
    assertThat(folding.splitBytes()).isPositive();
  }

  @ParameterizedTest
  @ValueSource(strings = {"enc.layer.query_1.bias", "enc.layer.query_1.norm.weight"})
  void leavesAModuleAloneThatHasParametersOfItsOwn(String parameter) {
    Graphs graphs =
        calls("/enc/layer/query/MatMul", "/enc/layer/query_1/MatMul")
            .weight(parameter, Values.random(2, 4));

    Folding.of(folder, graphs, adapter()).moves("a", QUERY).keeps("b");
  }

  @Test
  void leavesAModuleAloneWhoseParentHasParametersOfItsOwn() {
    Graphs graphs =
        calls("/enc/layer/query/MatMul", "/enc/layer_1/query/MatMul")
            .weight("enc.layer_1.norm.weight", Values.random(2, 4));

    Folding.of(folder, graphs, adapter()).moves("a", QUERY).keeps("b");
  }

  @Test
  void leavesAModuleAloneWhoseParentHasOtherWeightsToo() {
    Graphs graphs =
        calls("/enc/layer/query/MatMul", "/enc/layer_1/query/MatMul")
            .output("c", -1, 4)
            .weight("onnx::MatMul_9", Values.random(9, 4, 4))
            .node(
                Node.of("MatMul", "x", "onnx::MatMul_9").to("c").named("/enc/layer_1/key/MatMul"));

    Folding.of(folder, graphs, adapter()).moves("a", QUERY).keeps("b", "c");
  }

  @Test
  void leavesAModuleAloneThatTheAdapterKnows() {
    Graphs graphs = calls("/enc/layer/query/MatMul", "/enc/layer/query_1/MatMul");
    Adapters both = Adapters.create().lora(QUERY, 4, 4).lora("enc.layer.query_1", 4, 4);

    Folding.of(folder, graphs, both).moves("a", QUERY).moves("b", "enc.layer.query_1");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "/enc/layer/query_1/MatMul",
        "/enc/layer/query/MatMul_1",
        "/enc/layer_1/query/MatMul",
        "/enc_3/layer_12/query_2/MatMul"
      })
  void changesAllCalls(String second) {
    Folding folding = Folding.of(folder, calls("/enc/layer/query/MatMul", second), adapter());

    folding.moves("a", QUERY).moves("b", QUERY).checks();
    assertThat(folding.splitBytes()).isZero();
    assertThat(folding.target(QUERY).place().nodes()).hasSize(2);
  }

  @Test
  void changesAllCallsOfAModuleOfAnotherPrefix() {
    Graphs graphs =
        calls("/m/enc/layer/query/MatMul", "/m/enc/layer/query_1/MatMul")
            .output("k", -1, 4)
            .weight("z", Values.random(3, 4, 4))
            .node(Node.of("MatMul", "x", "z").to("k0").named("/m/enc/layer/key/MatMul"))
            .node(Node.of("Identity", "k0").to("k"));

    Folding folding = Folding.of(folder, graphs, adapter().lora("enc.layer.key", 4, 4));

    folding.moves("a", QUERY).moves("b", QUERY).moves("k", "enc.layer.key");
    assertThat(folding.splitBytes()).isZero();
  }

  @Test
  void changesAllNodesOfOneScope() {
    Graphs graphs =
        Graphs.create()
            .input("x", -1, 4)
            .output("a", -1, 4)
            .output("b", -1, 4)
            .weight("val_4", W)
            .node(Node.of("MatMul", "x", "val_4").to("a").in(QUERY))
            .node(Node.of("MatMul", "x", "val_4").to("b").in(QUERY));

    Folding folding = Folding.of(folder, graphs, adapter());

    folding.moves("a", QUERY).moves("b", QUERY);
    assertThat(folding.splitBytes()).isZero();
  }

  @Test
  void changesCopiesThatTheExporterMadeForEachCall() {
    Graphs graphs =
        Graphs.create()
            .input("x", -1, 4)
            .output("a", -1, 4)
            .output("b", -1, 4)
            .weight("onnx::MatMul_1", W)
            .weight("onnx::MatMul_2", W)
            .node(Node.of("MatMul", "x", "onnx::MatMul_1").to("a").named("/enc/layer/query/MatMul"))
            .node(
                Node.of("MatMul", "x", "onnx::MatMul_2")
                    .to("b")
                    .named("/enc/layer/query_1/MatMul"));

    Folding.of(folder, graphs, adapter()).moves("a", QUERY).moves("b", QUERY).checks();
  }

  @Test
  void splitsAllCallsTogetherFromAnotherModule() {
    Graphs graphs =
        calls("/enc/layer/query/MatMul", "/enc/layer/query_1/MatMul")
            .output("k", -1, 4)
            .node(
                Node.of("MatMul", "x", "onnx::MatMul_460").to("k").named("/enc/layer/key/MatMul"));

    Folding folding = Folding.of(folder, graphs, adapter());

    folding.moves("a", QUERY).moves("b", QUERY).keeps("k").checks();
    assertThat(folding.splitBytes()).isEqualTo(4 * 4 * 4);
  }

  @Test
  void replacesTheBiasOfAllCalls() {
    Graphs graphs =
        Graphs.create()
            .input("x", -1, 4)
            .output("a", -1, 4)
            .output("b", -1, 4)
            .weight("w", W)
            .weight("head.bias", Values.random(2, 4))
            .node(Node.of("Identity", "head.bias").to("bias2"))
            .node(Node.of("MatMul", "x", "w").to("p").named("/head/MatMul"))
            .node(Node.of("MatMul", "x", "w").to("q").named("/head_1/MatMul"))
            .node(Node.of("Add", "head.bias", "p").to("a").named("/head/Add"))
            .node(Node.of("Add", "bias2", "q").to("b").named("/head_1/Add"));
    Adapters adapter =
        Adapters.create()
            .lora("head", 4, 4)
            .config("bias", "\"all\"")
            .tensor("head.bias", Values.filled(0, 4));

    Folding folding = Folding.of(folder, graphs, adapter);

    assertThat(folding.splitBytes()).isZero();
    assertThat(folding.after("a")).containsExactly(folding.after("b"));
  }

  @ParameterizedTest
  @ValueSource(strings = {"a", "a_1", "a_1.b_22.c_"})
  void takesNumbersOffThePartsOfAName(String name) {
    assertThat(RepeatedCalls.unnumbered(name)).isEqualTo(name.replaceAll("_1|_22", ""));
  }
}
