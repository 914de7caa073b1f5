package dev.graft.match;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

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

/** Whole weights and biases of modules that the file packs or splits. */
class PackedParametersTest {

  private static final int IN = 5;
  private static final Values NEW_BIAS = Values.random(11, 2);
  private static final Values NEW_WEIGHT = Values.random(12, 2, IN);

  @TempDir Path folder;

  private static Graphs cut(Graphs graphs, String product) {
    return graphs
        .output("q", -1, 4)
        .output("k", -1, 2)
        .output("v", -1, 2)
        .integers("sizes", 4, 2, 2)
        .node(Node.of("Split", product, "sizes").to("q", "k", "v").with("axis", -1));
  }

  private static Graphs added(String addName) {
    return cut(
        Graphs.create()
            .input("x", -1, IN)
            .weight("model.layers.0.attn.qkv_proj.MatMul.weight", Values.random(1, IN, 8))
            .weight("model.layers.0.attn.qkv_proj.Add.bias", Values.random(2, 8))
            .node(
                Node.of("MatMul", "x", "model.layers.0.attn.qkv_proj.MatMul.weight")
                    .to("p")
                    .named("/model/layers.0/attn/qkv_proj/MatMul"))
            .node(
                Node.of("Add", "p", "model.layers.0.attn.qkv_proj.Add.bias")
                    .to("b")
                    .named(addName)),
        "b");
  }

  private static Graphs genai() {
    return added("/model/layers.0/attn/qkv_proj/Add");
  }

  private static Graphs gemm() {
    return cut(
        Graphs.create()
            .input("x", -1, IN)
            .weight("model.layers.0.self_attn.qkv_proj.weight", Values.random(1, 8, IN))
            .weight("c", Values.random(2, 8))
            .node(
                Node.of("Gemm", "x", "model.layers.0.self_attn.qkv_proj.weight", "c")
                    .to("b")
                    .with("transB", 1)),
        "b");
  }

  private static final String K = "model.layers.0.self_attn.k_proj";

  private static Adapters bias(Values values) {
    return Adapters.create()
        .lora("model.layers.0.self_attn.q_proj", IN, 4)
        .tensor(K + ".bias", values)
        .config("bias", "\"all\"");
  }

  @Test
  void refusesABiasOfAnotherLength() {
    Binding binding = Folding.bind(folder, genai(), bias(Values.random(11, 3)));

    assertThat(binding.misses())
        .singleElement()
        .satisfies(m -> {
          assertThat(m.name()).isEqualTo(K + ".bias");
          assertThat(m.cause()).isEqualTo(Miss.Cause.NO_FIT);
          assertThat(m.reason()).contains("3 outputs", "4, 2, 2");
        });
  }

  @Test
  void refusesABiasWhereThePackHasNone() {
    Graphs graphs =
        cut(
            Graphs.create()
                .input("x", -1, IN)
                .weight("w", Values.random(1, IN, 8))
                .node(
                    Node.of("MatMul", "x", "w")
                        .to("p")
                        .named("/model/layers.0/self_attn/qkv_proj/MatMul")),
            "p");

    assertThat(Folding.bind(folder, graphs, bias(NEW_BIAS)).misses())
        .singleElement()
        .satisfies(m -> {
          assertThat(m.cause()).isEqualTo(Miss.Cause.UNSUPPORTED);
          assertThat(m.reason()).contains("no bias", "'w'", "packs it with others");
        });
  }

  @Test
  void refusesAWeightOfOtherInputs() {
    Adapters adapter = Adapters.create().saved(K + ".weight", Values.random(1, 2, IN + 1));

    assertThat(Folding.bind(folder, genai(), adapter).misses())
        .singleElement()
        .satisfies(m -> assertThat(m.reason()).contains("[8, 6]", "[5, 8]"));
  }

  private static float[] expected(Folding folding, Values weight, Values bias) {
    float[] x = folding.fed("x");
    float[] y = new float[x.length / IN * 2];
    for (int i = 0; i < y.length; i++) {
      double sum = bias.floats()[i % 2];
      for (int j = 0; j < IN; j++) {
        sum += (double) x[i / 2 * IN + j] * weight.at(i % 2, j);
      }
      y[i] = (float) sum;
    }
    return y;
  }

  private void replacesBoth(Graphs graphs) {
    Adapters adapter =
        Adapters.create().saved(K + ".weight", NEW_WEIGHT).saved(K + ".bias", NEW_BIAS);

    Folding folding = Folding.of(folder, graphs, adapter).keeps("q", "v").checks();

    assertThat(folding.after("k"))
        .containsExactly(expected(folding, NEW_WEIGHT, NEW_BIAS), within(1e-5f));
    assertThat(folding.target(K + ".bias").place().outputs()).isEqualTo(new OutputRange(4, 2));
    assertThat(folding.splitBytes()).isZero();
  }

  @Test
  void replacesColumnsAndTheBiasOfAnAdd() {
    replacesBoth(genai());
  }

  @Test
  void replacesRowsAndTheBiasOfAGemm() {
    replacesBoth(gemm());
  }

  @Test
  void addsToTheBiasOfThePartAlone() {
    Adapters adapter =
        Adapters.create()
            .lora(K, IN, 2)
            .tensor(K + ".lora_B.bias", NEW_BIAS)
            .config("lora_bias", "true");
    Folding folding = Folding.of(folder, genai(), adapter).keeps("q", "v").checks();
    Folding plain = Folding.of(folder.resolve("plain"), genai(), Adapters.create().lora(K, IN, 2));

    for (int i = 0; i < 6; i++) {
      assertThat(folding.after("k")[i])
          .isCloseTo(
              plain.after("k")[i] + Adapters.SCALE * NEW_BIAS.floats()[i % 2], within(1e-5f));
    }
  }

  /** Query, key and value one by one, which a fused attention adds one bias to. */
  private static Graphs fusedBias(int valueWidth) {
    Graphs graphs =
        Graphs.create()
            .input("x", -1, 3, 4)
            .output("y", -1, 3, valueWidth)
            .weight("bias", Values.random(9, 8 + valueWidth))
            .node(
                Node.of("com.microsoft.MultiHeadAttention", "q", "k", "v", "bias")
                    .to("y")
                    .with("num_heads", 2));
    for (String name : new String[] {"q", "k", "v"}) {
      graphs
          .weight(name + ".w", Values.random(name.hashCode(), 4, name.equals("v") ? valueWidth : 4))
          .node(
              Node.of("MatMul", "x", name + ".w").to(name).named("/attn/" + name + "_proj/MatMul"));
    }
    return graphs;
  }

  @ParameterizedTest
  @ValueSource(ints = {4, 6})
  void replacesABiasInTheOneThatAFusedAttentionAdds(int valueWidth) {
    Adapters adapter =
        Adapters.create()
            .lora("attn.k_proj", 4, 4)
            .tensor("attn.k_proj.bias", Values.random(1, 4))
            .tensor("attn.v_proj.bias", Values.random(2, valueWidth))
            .config("bias", "\"all\"");

    Binding binding = Folding.bind(folder, fusedBias(valueWidth), adapter);

    assertThat(binding.misses()).isEmpty();
    assertThat(binding.bound())
        .filteredOn(b -> b instanceof BoundTarget.Whole)
        .extracting(b -> Map.entry(b.name(), b.place().outputs()))
        .containsExactlyInAnyOrder(
            Map.entry("attn.k_proj.bias", new OutputRange(4, 4)),
            Map.entry("attn.v_proj.bias", new OutputRange(8, valueWidth)));
    assertThat(binding.bound())
        .filteredOn(b -> b instanceof BoundTarget.Whole)
        .allSatisfy(b -> assertThat(b.place().tensor().label()).isEqualTo("bias"));
  }

  @Test
  void splitsASavedBiasOverTheParts() {
    Values bias = Values.random(21, 6);
    Graphs graphs = Graphs.create().input("x", -1, IN);
    for (String part : new String[] {"gate", "up"}) {
      graphs
          .output(part, -1, 3)
          .weight(part + ".w", Values.random(part.hashCode(), IN, 3))
          .weight("mlp." + part + "_proj.bias", Values.filled(0, 3))
          .node(
              Node.of("MatMul", "x", part + ".w").to(part + ".p").named("/mlp/" + part + "_proj/M"))
          .node(
              Node.of("Add", "mlp." + part + "_proj.bias", part + ".p")
                  .to(part)
                  .named("/mlp/" + part + "_proj/Add"));
    }
    Adapters adapter =
        Adapters.create()
            .lora("mlp.gate_up_proj", IN, 6)
            .tensor("mlp.gate_up_proj.bias", bias)
            .config("bias", "\"all\"");

    Folding both = Folding.of(folder, graphs, adapter).checks();
    Folding plain =
        Folding.of(
            folder.resolve("plain"), graphs, Adapters.create().lora("mlp.gate_up_proj", IN, 6));

    for (int i = 0; i < 9; i++) {
      assertThat(both.after("gate")[i] - plain.after("gate")[i])
          .isCloseTo(bias.floats()[i % 3], within(1e-5f));
      assertThat(both.after("up")[i] - plain.after("up")[i])
          .isCloseTo(bias.floats()[3 + i % 3], within(1e-5f));
    }
  }

  @Test
  void replacesTheProjectionOfAMultiheadAttentionByItsOwnNames() {
    Graphs graphs =
        Graphs.create()
            .input("x", -1, 2)
            .output("y", -1, 6)
            .weight("onnx::MatMul_1", Values.random(1, 2, 6))
            .weight("mha.in_proj_bias", Values.random(2, 6))
            .node(Node.of("MatMul", "x", "onnx::MatMul_1").to("p").named("/mha/MatMul"))
            .node(Node.of("Add", "mha.in_proj_bias", "p").to("y").named("/mha/Add"));
    Values weight = Values.random(3, 6, 2);
    Adapters adapter =
        Adapters.create()
            .saved("mha.in_proj_weight", weight)
            .saved("mha.in_proj_bias", Values.filled(0, 6));

    Folding folding = Folding.of(folder, graphs, adapter).checks();

    float[] x = folding.fed("x");
    for (int i = 0; i < 18; i++) {
      assertThat((double) folding.after("y")[i])
          .isCloseTo(
              (double) x[i / 6 * 2] * weight.at(i % 6, 0)
                  + (double) x[i / 6 * 2 + 1] * weight.at(i % 6, 1),
              within(1e-5));
    }
    assertThat(weight.shape()).isEqualTo(Shape.of(6, 2));
  }
}
