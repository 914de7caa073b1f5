package dev.graft.match;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.graft.error.BindingException;
import dev.graft.error.UnsupportedException;
import dev.graft.testing.Adapters;
import dev.graft.testing.Folding;
import dev.graft.testing.Graphs;
import dev.graft.testing.Node;
import dev.graft.testing.Values;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.assertj.core.api.AbstractStringAssert;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/** Modules that the file packs into one weight: each goes to its own outputs. */
class PartFinderTest {

  private static final int IN = 5;
  private static final Values PACKED = Values.random(1, IN, 10);

  @TempDir Path folder;

  /** A packed product; what reads {@code p} is left to the test. */
  private static Graphs packed(String module) {
    return Graphs.create()
        .input("x", -1, IN)
        .weight("onnx::MatMul_1", PACKED)
        .node(
            Node.of("MatMul", "x", "onnx::MatMul_1")
                .to("p")
                .named("/" + module.replace('.', '/') + "/MatMul"));
  }

  private static Graphs split(Graphs graphs, String product, long... sizes) {
    return graphs
        .output("q", -1, sizes[0])
        .output("k", -1, sizes[1])
        .output("v", -1, sizes[2])
        .integers("sizes", sizes)
        .node(Node.of("Split", product, "sizes").to("q", "k", "v").with("axis", -1));
  }

  private static Graphs qkv() {
    return split(packed("attn.qkv_proj"), "p", 6, 2, 2);
  }

  private static Adapters qkvAdapter() {
    return Adapters.create()
        .lora("attn.q_proj", IN, 6)
        .lora("attn.k_proj", IN, 2)
        .lora("attn.v_proj", IN, 2);
  }

  private AbstractStringAssert<?> onlyReason(Graphs graphs, Adapters adapter, Miss.Cause cause) {
    List<Miss> misses = Folding.bind(folder, graphs, adapter).misses();
    assertThat(misses).hasSize(1);
    assertThat(misses.getFirst().cause()).isEqualTo(cause);
    return assertThat(misses.getFirst().reason());
  }

  @Test
  void refusesAnAdapterOfOtherWidths() {
    Binding binding = Folding.bind(folder, qkv(), Adapters.create().lora("attn.k_proj", IN, 3));

    assertThat(binding.misses())
        .singleElement()
        .satisfies(m -> {
          assertThat(m.cause()).isEqualTo(Miss.Cause.NO_FIT);
          assertThat(m.reason())
              .contains("gives it 3 outputs", "'onnx::MatMul_1' [5, 10]", "6, 2, 2", "Split");
        });
    assertThatThrownBy(binding::requireComplete).isInstanceOf(BindingException.class);
  }

  @Test
  void refusesAnAdapterForOtherInputs() {
    onlyReason(qkv(), Adapters.create().lora("attn.q_proj", IN + 1, 6), Miss.Cause.NO_FIT)
        .contains("lora_A [2, 6]", "5 inputs and 6 outputs");
  }

  @Test
  void refusesAPackWhoseCutsNothingShows() {
    Binding binding =
        Folding.bind(
            folder,
            packed("attn.qkv_proj").output("p", -1, 10),
            Adapters.create().lora("attn.q_proj", IN, 6));

    assertThat(binding.misses())
        .singleElement()
        .satisfies(m -> assertThat(m.reason()).contains("'onnx::MatMul_1' [5, 10]", "add up to"));
    assertThatThrownBy(binding::requireComplete).isInstanceOf(UnsupportedException.class);
  }

  @ParameterizedTest
  @CsvSource({"6, 3", "4, 2", "10, 2"})
  void refusesWidthsOfTheAdapterThatDoNotAddUp(int query, int value) {
    Adapters adapter =
        Adapters.create().lora("attn.q_proj", IN, query).lora("attn.v_proj", IN, value);

    assertThat(Folding.bind(folder, packed("attn.qkv_proj").output("p", -1, 10), adapter).misses())
        .hasSize(2);
  }

  @Test
  void refusesPacksThatLieHeadByHead() {
    onlyReason(
            split(packed("attn.query_key_value"), "p", 6, 2, 2),
            Adapters.create().lora("attn.query", IN, 6),
            Miss.Cause.UNSUPPORTED)
        .contains("'attn.query_key_value'", "head by head");
  }

  @Test
  void refusesAProductThatIsRearrangedBeforeItIsCut() {
    Graphs graphs =
        packed("attn.qkv_proj")
            .integers("heads", -1, 2, 5)
            .output("h", -1, 2, 5)
            .node(Node.of("Reshape", "p", "heads").to("h"));

    onlyReason(graphs, Adapters.create().lora("attn.q_proj", IN, 6), Miss.Cause.UNSUPPORTED)
        .contains("Reshape", "interleaved");
  }

  @Test
  void saysWhatItLookedFor() {
    Graphs graphs = packed("attn.dense").output("p", -1, 10);

    onlyReason(graphs, Adapters.create().lora("attn.q_proj", IN, 6), Miss.Cause.ABSENT)
        .contains("no weight of the name attn.q_proj, nor one that packs it (qkv_proj, qkv");
  }

  @Test
  void refusesAPackOfDifferentWeightsUnderOneName() {
    Graphs graphs =
        qkv()
            .weight("w2", Values.random(9, IN, 10))
            .output("z", -1, 10)
            .node(Node.of("MatMul", "x", "w2").to("z").named("/attn/qkv_proj/MatMul_1"));

    onlyReason(graphs, Adapters.create().lora("attn.q_proj", IN, 6), Miss.Cause.NO_FIT)
        .contains("2 different weights go by that name");
  }

  @Test
  void namesAQuantisedPack() {
    Graphs graphs =
        Graphs.create()
            .input("x", -1, IN)
            .output("y", -1, 10)
            .weight("attn.qkv_proj.MatMul.weight_Q4", Values.random(1, 10, 1, 16))
            .weight("s", Values.random(2, 10))
            .node(
                Node.of("com.microsoft.MatMulNBits", "x", "attn.qkv_proj.MatMul.weight_Q4", "s")
                    .to("y")
                    .with("K", IN)
                    .with("N", 10));

    onlyReason(graphs, Adapters.create().lora("attn.q_proj", IN, 6), Miss.Cause.QUANTISED)
        .contains("MatMulNBits");
  }

  @Test
  void foldsEachIntoItsOwnOutputs() {
    Folding folding = Folding.of(folder, qkv(), qkvAdapter());

    folding.moves("q", "attn.q_proj").moves("k", "attn.k_proj").moves("v", "attn.v_proj").checks();
    assertThat(folding.binding().bound().stream().map(b -> b.place().tensor()).distinct())
        .hasSize(1);
    assertThat(folding.binding().bound().stream().map(b -> b.place().outputs()))
        .containsExactlyInAnyOrder(
            new OutputRange(0, 6), new OutputRange(6, 2), new OutputRange(8, 2));
    assertThat(folding.splitBytes()).isZero();
    assertThat(folding.touchedBytes()).isEqualTo(IN * 10 * 4);
    assertThat(folding.target("attn.v_proj").place().rule()).isEqualTo(NameRule.PACKED);
  }

  @ParameterizedTest
  @CsvSource({"attn.q_proj, 6, q", "attn.k_proj, 2, k", "attn.v_proj, 2, v"})
  void keepsTheOutputsOfTheOthers(String module, int outputs, String name) {
    String[] others = Stream.of("q", "k", "v").filter(o -> !o.equals(name)).toArray(String[]::new);

    Folding.of(folder, qkv(), Adapters.create().lora(module, IN, outputs))
        .moves(name, module)
        .keeps(others)
        .checks();
  }

  @Test
  void takesKeysAndValuesOfDifferentWidths() {
    Folding.of(
            folder,
            split(packed("attn.qkv_proj"), "p", 4, 1, 5),
            Adapters.create().lora("attn.k_proj", IN, 1).lora("attn.v_proj", IN, 5))
        .moves("k", "attn.k_proj")
        .moves("v", "attn.v_proj")
        .keeps("q")
        .checks();
  }

  @ParameterizedTest
  @CsvSource({
    "self.query, self.qkv, self.key",
    "attention.q_lin, attention.qkv, attention.k_lin",
    "attn.q, attn.W_pack, attn.k",
    "attn.to_q, attn.in_proj, attn.to_k"
  })
  void knowsTheNamesOfManyFamilies(String query, String pack, String key) {
    Folding.of(
            folder,
            split(packed(pack), "p", 6, 2, 2),
            Adapters.create().lora(query, IN, 6).lora(key, IN, 2))
        .moves("q", query)
        .moves("k", key)
        .keeps("v");
  }

  @Test
  void findsPartsUnderAPrefix() {
    Adapters adapter =
        Adapters.create().lora("layers.0.attn.q_proj", IN, 6).lora("layers.0.attn.v_proj", IN, 2);

    Folding folding =
        Folding.of(folder, split(packed("model.layers.0.attn.qkv_proj"), "p", 6, 2, 2), adapter);

    folding.moves("q", "layers.0.attn.q_proj").keeps("k");
    assertThat(folding.binding().prefix()).isEqualTo(new Prefix("", "model."));
  }

  @Test
  void looksBehindTheBias() {
    Graphs graphs =
        split(
            packed("attn.qkv_proj")
                .weight("bias", Values.random(3, 10))
                .node(Node.of("Add", "bias", "p").to("b")),
            "b",
            6,
            2,
            2);

    Folding.of(folder, graphs, Adapters.create().lora("attn.v_proj", IN, 2))
        .moves("v", "attn.v_proj")
        .keeps("q", "k");
  }

  @Test
  void believesTheAdapterWhereItsWidthsAddUpAndNothingSpeaksAgainstThem() {
    Graphs graphs = packed("attn.qkv_proj").output("y", -1, 10).node(Node.of("Relu", "p").to("y"));
    Adapters adapter = Adapters.create().lora("attn.q_proj", IN, 4).lora("attn.k_proj", IN, 3);

    Binding binding = Folding.bind(folder, graphs, adapter);

    assertThat(binding.misses()).isEmpty();
    assertThat(binding.bound().stream().map(b -> b.place().outputs()))
        .containsExactlyInAnyOrder(new OutputRange(0, 4), new OutputRange(4, 3));
  }

  static Stream<Arguments> layouts() {
    return Stream.of(
        Arguments.of(
            "rows",
            PACKED.transposed(),
            Node.of("Gemm", "x", "w").to("p").named("/mlp/gate_up_proj/Gemm").with("transB", 1)),
        Arguments.of(
            "columns", PACKED, Node.of("Gemm", "x", "w").to("p").named("/mlp/gate_up_proj/Gemm")),
        Arguments.of(
            "alpha",
            PACKED,
            Node.of("Gemm", "x", "w").to("p").named("/mlp/gate_up_proj/Gemm").with("alpha", 0.5f)));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("layouts")
  void foldsHalvesOfGateAndUp(String name, Values weight, Node product) {
    Graphs graphs =
        Graphs.create()
            .input("x", -1, IN)
            .weight("w", weight)
            .node(product)
            .output("gate", -1, 5)
            .output("up", -1, 5)
            .node(Node.of("Split", "p").to("gate", "up").with("axis", 1));

    Folding.of(folder.resolve("up"), graphs, Adapters.create().lora("mlp.up_proj", IN, 5))
        .moves("up", "mlp.up_proj")
        .keeps("gate")
        .checks();
  }

  @Test
  void foldsDoraOnARangeAsOnAWeightOfItsOwn() {
    Adapters adapter =
        Adapters.create()
            .lora("attn.k_proj", IN, 2)
            .tensor("attn.k_proj.lora_magnitude_vector", Values.filled(1.5f, 2))
            .config("use_dora", "true");
    float[] key = new float[IN * 2];
    for (int i = 0; i < key.length; i++) {
      key[i] = PACKED.at(i / 2, 6 + i % 2);
    }
    Graphs alone =
        Graphs.create()
            .input("x", -1, IN)
            .output("k", -1, 2)
            .weight("w", new Values(PACKED.type(), dev.graft.tensor.Shape.of(IN, 2), key))
            .node(Node.of("MatMul", "x", "w").to("k").named("/attn/k_proj/MatMul"));

    Folding packed = Folding.of(folder.resolve("packed"), qkv(), adapter);
    Folding single = Folding.of(folder.resolve("single"), alone, adapter);

    packed.keeps("q", "v").checks();
    assertThat(packed.after("k")).containsExactly(single.after("k"), within(1e-6f));
    assertThat(packed.after("k")).isNotEqualTo(packed.before("k"));
  }
}
