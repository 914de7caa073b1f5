package dev.graft.match;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.graft.error.UnsupportedException;
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
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Weights that several modules read: the target gets its own copy, the others stay. */
class SharedWeightTest {

  private static final Values W = Values.random(1, 4, 4);
  private static final long BYTES = 4 * 4 * 4;

  @TempDir Path folder;

  private static Graphs twoLayers() {
    return Graphs.create().input("x", -1, 4).output("a", -1, 4).output("b", -1, 4);
  }

  @Test
  void refusesTwoTargetsThatTheExporterMadeOneNode() {
    Graphs graphs =
        Graphs.create()
            .input("x", -1, 4)
            .output("a", -1, 4)
            .weight("k.weight", W)
            .node(Node.of("MatMul", "x", "k.weight").to("a").named("n").in("v"));
    Adapters adapter = Adapters.create().lora("v", 4, 4).saved("k.weight", Values.random(3, 4, 4));

    Binding binding = Folding.bind(folder, graphs, adapter);

    assertThat(binding.bound()).isEmpty();
    assertThat(binding.misses())
        .hasSize(2)
        .allSatisfy(m -> assertThat(m.reason()).contains("MatMul 'n' serves several"));
    assertThatThrownBy(binding::requireComplete).isInstanceOf(UnsupportedException.class);
  }

  @Test
  void refusesACopyBehindATransposeThatTwoModulesShare() {
    Graphs graphs =
        twoLayers()
            .weight("w", W)
            .node(Node.of("Transpose", "w").to("t"))
            .node(Node.of("MatMul", "x", "t").to("a").named("/a/MatMul"))
            .node(Node.of("MatMul", "x", "t").to("b").named("/b/MatMul"));

    Binding binding = Folding.bind(folder, graphs, Adapters.create().lora("a", 4, 4));

    assertThat(binding.misses())
        .singleElement()
        .satisfies(m -> {
          assertThat(m.cause()).isEqualTo(Miss.Cause.UNSUPPORTED);
          assertThat(m.reason()).contains("'w' is shared with MatMul '/b/MatMul'");
        });
  }

  @Test
  void splitsAWeightThatTheExporterKeptOnceForTwoModules() {
    Graphs graphs =
        twoLayers()
            .weight("onnx::MatMul_7", W)
            .node(Node.of("Identity", "onnx::MatMul_7").to("onnx::MatMul_8"))
            .node(Node.of("MatMul", "x", "onnx::MatMul_7").to("a").named("/a/MatMul"))
            .node(Node.of("MatMul", "x", "onnx::MatMul_8").to("b").named("/b/MatMul"));

    Folding.of(folder.resolve("1"), graphs, Adapters.create().lora("a", 4, 4))
        .moves("a", "a")
        .keeps("b")
        .checks();
    Folding second = Folding.of(folder.resolve("2"), graphs, Adapters.create().lora("b", 4, 4));

    second.moves("b", "b").keeps("a").checks();
    assertThat(second.splitBytes()).isEqualTo(BYTES);
    assertThat(second.target("b").place().isSplit()).isTrue();
  }

  @Test
  void givesBothTargetsTheirOwnWeight() {
    Graphs graphs =
        twoLayers()
            .weight("w", W)
            .node(Node.of("MatMul", "x", "w").to("a").named("/a/MatMul"))
            .node(Node.of("MatMul", "x", "w").to("b").named("/b/MatMul"));

    Folding both = Folding.of(folder, graphs, Adapters.create().lora("a", 4, 4).lora("b", 4, 4));

    both.moves("a", "a").moves("b", "b").checks();
    assertThat(both.splitBytes()).isEqualTo(BYTES);
  }

  @Test
  void keepsAModuleThatReadsTheWeightUnderItsOwnNameThroughAnIdentity() {
    Graphs graphs =
        twoLayers()
            .weight("a.weight", W)
            .node(Node.of("Identity", "a.weight").to("b.weight"))
            .node(Node.of("Gemm", "x", "a.weight").to("a").with("transB", 1))
            .node(Node.of("Gemm", "x", "b.weight").to("b").with("transB", 1));

    Folding.of(folder.resolve("1"), graphs, Adapters.create().lora("a", 4, 4))
        .moves("a", "a")
        .keeps("b");
    Folding.of(folder.resolve("2"), graphs, Adapters.create().lora("b", 4, 4))
        .moves("b", "b")
        .keeps("a");
  }

  @ParameterizedTest
  @ValueSource(strings = {"weights.bin"})
  void splitsTwoWeightsOnTheSameBytesOfADataFile(String file) {
    Graphs graphs =
        twoLayers()
            .external("a.weight", W, file)
            .external("b.weight", W, file, 0)
            .node(Node.of("MatMul", "x", "a.weight").to("a").named("/a/MatMul"))
            .node(Node.of("MatMul", "x", "b.weight").to("b").named("/b/MatMul"));

    Folding one = Folding.of(folder.resolve("1"), graphs, Adapters.create().lora("a", 4, 4));
    one.moves("a", "a").keeps("b").checks();
    assertThat(one.splitBytes()).isEqualTo(BYTES);

    Folding.of(folder.resolve("2"), graphs, Adapters.create().lora("a", 4, 4).lora("b", 4, 4))
        .moves("a", "a")
        .moves("b", "b")
        .checks();
  }

  @Test
  void splitsAWeightThatAnotherTensorOverlapsInPart() {
    Graphs graphs =
        twoLayers()
            .external("a.weight", W, "weights.bin")
            .external("b.weight", Values.random(2, 4, 4), "weights.bin")
            .external("c.weight", W, "weights.bin", 32)
            .output("c", -1, 4)
            .node(Node.of("MatMul", "x", "a.weight").to("a").named("/a/MatMul"))
            .node(Node.of("MatMul", "x", "b.weight").to("b").named("/b/MatMul"))
            .node(Node.of("MatMul", "x", "c.weight").to("c").named("/c/MatMul"));

    Folding.of(folder, graphs, Adapters.create().lora("a", 4, 4))
        .moves("a", "a")
        .keeps("b", "c")
        .checks();
  }

  @Test
  void splitsAWeightThatIsAnOutputToo() {
    Graphs graphs =
        Graphs.create()
            .input("x", -1, 4)
            .output("a", -1, 4)
            .output("w", 4, 4)
            .weight("w", W)
            .node(Node.of("MatMul", "x", "w").to("a").named("/a/MatMul"));

    Folding.of(folder, graphs, Adapters.create().lora("a", 4, 4)).moves("a", "a").keeps("w");
  }

  @Test
  void splitsBehindARenamingThatIsAnOutputToo() {
    Graphs graphs =
        Graphs.create()
            .input("x", -1, 4)
            .output("a", -1, 4)
            .output("i", 4, 4)
            .weight("w", W)
            .node(Node.of("Identity", "w").to("i"))
            .node(Node.of("MatMul", "x", "i").to("a").named("/a/MatMul"));

    Folding.of(folder, graphs, Adapters.create().lora("a", 4, 4))
        .moves("a", "a")
        .keeps("i")
        .checks();
  }

  @Test
  void refusesASplitBehindATransposeThatIsAnOutputToo() {
    Graphs graphs =
        Graphs.create()
            .input("x", -1, 4)
            .output("a", -1, 4)
            .output("t", 4, 4)
            .weight("w", W)
            .node(Node.of("Transpose", "w").to("t"))
            .node(Node.of("MatMul", "x", "t").to("a").named("/a/MatMul"));

    assertThat(Folding.bind(folder, graphs, Adapters.create().lora("a", 4, 4)).misses())
        .singleElement()
        .satisfies(m -> assertThat(m.reason()).contains("the graph's output 't'"));
  }

  @Test
  void ignoresWhoAsksForTheShapeOnly() {
    Graphs graphs =
        Graphs.create()
            .input("x", -1, 4)
            .output("a", -1, 4)
            .output(DType.INT64, "s", 2)
            .weight("w", W)
            .node(Node.of("Shape", "w").to("s"))
            .node(Node.of("MatMul", "x", "w").to("a").named("/a/MatMul"));

    Folding folding = Folding.of(folder, graphs, Adapters.create().lora("a", 4, 4));

    folding.moves("a", "a");
    assertThat(folding.splitBytes()).isZero();
  }

  /** What optimum writes for a tied embedding: the Transpose serves the head alone. */
  private static Graphs tied(String wte) {
    return Graphs.create()
        .input(DType.INT64, "ids", 2)
        .input("x", -1, 3)
        .output("e", 2, 3)
        .output("logits", -1, 5)
        .weight(wte, Values.random(5, 5, 3))
        .node(Node.of("Transpose", wte).to(wte + "_transposed").with("perm", List.of(1L, 0L)))
        .node(Node.of("Gather", wte, "ids").to("e").named("/transformer/wte/Gather"))
        .node(Node.of("MatMul", "x", wte + "_transposed").to("logits").named("/lm_head/MatMul"));
  }

  @Test
  void changesTheHeadAloneWhereTheEmbeddingIsTiedThroughATranspose() {
    Folding folding =
        Folding.of(folder, tied("transformer.wte.weight"), Adapters.create().lora("lm_head", 3, 5));

    folding.moves("logits", "lm_head").keeps("e").checks();
    assertThat(folding.splitBytes()).isEqualTo(5 * 3 * 4);
  }

  @Test
  void changesTheEmbeddingAloneWhereItIsSavedWhole() {
    Values table = Values.random(77, 5, 3);
    Folding folding =
        Folding.of(
            folder,
            tied("transformer.wte.weight"),
            Adapters.create().saved("transformer.wte.weight", table),
            Map.of("ids", HostTensor.ofLongs(Shape.of(2), 4, 1)));

    folding.keeps("logits").checks();
    assertThat(folding.after("e"))
        .containsExactly(
            table.at(4, 0),
            table.at(4, 1),
            table.at(4, 2),
            table.at(1, 0),
            table.at(1, 1),
            table.at(1, 2));
  }

  @Test
  void keepsTheTieWhereTheAdapterAsksForIt() {
    Folding folding =
        Folding.of(
            folder,
            tied("transformer.wte.weight"),
            Adapters.create().lora("lm_head", 3, 5).config("ensure_weight_tying", "true"));

    folding.moves("logits", "lm_head");
    assertThat(folding.after("e")).isNotEqualTo(folding.before("e"));
    assertThat(folding.splitBytes()).isZero();
  }

  @Test
  void keepsTheTieOfTwoTensorsOnTheSameBytes() {
    Values table = Values.random(5, 5, 3);
    Graphs graphs =
        Graphs.create()
            .input(DType.INT64, "ids", 2)
            .input("x", -1, 3)
            .output("e", 2, 3)
            .output("logits", -1, 5)
            .external("wte.weight", table, "weights.bin")
            .external("lm_head.weight", table, "weights.bin", 0)
            .node(Node.of("Gather", "wte.weight", "ids").to("e"))
            .node(Node.of("Gemm", "x", "lm_head.weight").to("logits").with("transB", 1));
    Adapters adapter =
        Adapters.create().lora("lm_head", 3, 5).config("ensure_weight_tying", "true");

    Folding folding = Folding.of(folder, graphs, adapter);

    folding.moves("logits", "lm_head");
    assertThat(folding.after("e")).isNotEqualTo(folding.before("e"));
    assertThat(folding.splitBytes()).isZero();
  }

  @Test
  void doesNotTakeEqualLayersForATieThatTheAdapterAsksFor() {
    Graphs graphs =
        twoLayers()
            .weight("w", W)
            .node(Node.of("MatMul", "x", "w").to("a").named("/a/MatMul"))
            .node(Node.of("MatMul", "x", "w").to("b").named("/b/MatMul"));
    Adapters adapter = Adapters.create().lora("a", 4, 4).config("ensure_weight_tying", "true");

    Folding.of(folder, graphs, adapter).moves("a", "a").keeps("b");
  }

  @Test
  void changesAnEmbeddingThatTheAdapterSavedOfItsOwnAccountTogetherWithTheHead() {
    Values table = Values.random(78, 5, 3);
    Adapters adapter = Adapters.create().lora("lora", 3, 3).tensor("embed_tokens.weight", table);
    Graphs graphs =
        tied("embed_tokens.weight")
            .output("l", -1, 3)
            .weight("lora.weight", Values.random(6, 3, 3))
            .node(Node.of("Gemm", "x", "lora.weight").to("l").with("transB", 1));

    Folding folding = Folding.of(folder, graphs, adapter);

    assertThat(folding.splitBytes()).isZero();
    assertThat(folding.after("logits")).isNotEqualTo(folding.before("logits"));
  }

  @ParameterizedTest
  @ValueSource(longs = {3, 8})
  void addsACopyToFilesOfOldFormatsToo(long irVersion) {
    Graphs graphs =
        twoLayers()
            .irVersion(irVersion)
            .weight("w", W)
            .node(Node.of("MatMul", "x", "w").to("a").named("/a/MatMul"))
            .node(Node.of("MatMul", "x", "w").to("b").named("/b/MatMul"));

    Folding.of(folder, graphs, Adapters.create().lora("a", 4, 4)).moves("a", "a").keeps("b");
  }
}
