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
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Fused attentions have numbers for names; what they make and who reads it says which they are. */
class AttentionNamesTest {

  private static final String ATTENTION = "com.microsoft.Attention";

  @TempDir Path folder;

  private static Graphs fused(String output) {
    return Graphs.create()
        .input("x", -1, 3, 4)
        .weight("Attention_0_qkv_weight", Values.random(1, 4, 12))
        .weight("Attention_0_qkv_bias", Values.random(2, 12))
        .node(
            Node.of(ATTENTION, "x", "Attention_0_qkv_weight", "Attention_0_qkv_bias")
                .to(output)
                .named("Attention_0")
                .with("num_heads", 2));
  }

  private static Adapters adapter(String... modules) {
    Adapters adapter = Adapters.create();
    for (String module : modules) {
      adapter.lora(module, 4, 4);
    }
    return adapter;
  }

  private List<OutputRange> bound(Graphs graphs, Adapters adapter) {
    Binding binding = Folding.bind(folder, graphs, adapter);
    assertThat(binding.misses()).isEmpty();
    return binding.bound().stream().map(b -> b.place().outputs()).toList();
  }

  @Test
  void bindsNothingToAnAttentionOfAnotherLayer() {
    Binding binding =
        Folding.bind(
            folder,
            fused("/encoder/layer.0/attention/self/Reshape_3_output_0"),
            adapter("encoder.layer.1.attention.self.query"));

    assertThat(binding.bound()).isEmpty();
    assertThat(binding.misses()).hasSize(1);
  }

  @Test
  void bindsNothingToAnAttentionThatNothingNames() {
    assertThat(
            Folding.bind(folder, fused("y").output("y", -1, 3, 4), adapter("self.query")).misses())
        .hasSize(1);
  }

  @Test
  void readsTheNameOfTheOutput() {
    assertThat(
            bound(
                fused("/encoder/layer.0/attention/self/Reshape_3_output_0"),
                adapter(
                    "encoder.layer.0.attention.self.key", "encoder.layer.0.attention.self.value")))
        .containsExactlyInAnyOrder(new OutputRange(4, 4), new OutputRange(8, 4));
  }

  @ParameterizedTest
  @CsvSource({
    "/layer.0/attention/output/dense, layer.0.attention.self.query",
    "/layer.0/attention/output/dense, layer.0.attention.attention.query",
    "/layer.0/attention/out_lin, layer.0.attention.q_lin",
    "/layers.0/self_attn/o_proj, layers.0.self_attn.q_proj",
    "/layers.0/self_attn/out_proj, layers.0.self_attn.q_proj",
    "/block.0/SelfAttention/o, block.0.SelfAttention.q"
  })
  void readsTheNameOfTheLayerBehind(String behind, String query) {
    Graphs graphs =
        fused("y")
            .output("z", -1, 3, 4)
            .weight("o", Values.random(3, 4, 4))
            .node(Node.of("MatMul", "y", "o").to("z").named(behind + "/MatMul"));

    assertThat(bound(graphs, adapter(query))).containsExactly(new OutputRange(0, 4));
  }

  @Test
  void namesAPackedProductAfterTheAttentionThatItIsFor() {
    Graphs graphs =
        Graphs.create()
            .input("x", -1, 3, 4)
            .weight("MatMul_0_qkv_weight", Values.random(1, 4, 12))
            .weight("Attention_0_qkv_bias", Values.random(2, 12))
            .integers("0", 0)
            .integers("4", 4)
            .integers("8", 8)
            .integers("12", 12)
            .integers("last", -1)
            .node(Node.of("MatMul", "x", "MatMul_0_qkv_weight").to("qkv").named("MatMul_0"))
            .node(Node.of("Slice", "qkv", "0", "4", "last").to("q"))
            .node(Node.of("Slice", "qkv", "4", "8", "last").to("k"))
            .node(Node.of("Slice", "qkv", "8", "12", "last").to("v"))
            .node(
                Node.of("com.microsoft.MultiHeadAttention", "q", "k", "v", "Attention_0_qkv_bias")
                    .to("/layer.0/attention/self/Reshape_3_output_0")
                    .named("Attention_0"));

    assertThat(bound(graphs, adapter("layer.0.attention.self.value")))
        .containsExactly(new OutputRange(8, 4));
  }

  @Test
  void findsTheRightLayerUnderAPrefix() {
    Graphs graphs = fused("/model/layer.0/attention/self/Reshape_3_output_0");
    Adapters adapter = adapter("layer.0.attention.self.query", "layer.0.attention.self.value");

    Binding binding = Folding.bind(folder, graphs, adapter);

    assertThat(binding.misses()).isEmpty();
    assertThat(binding.prefix()).isEqualTo(new Prefix("", "model."));
  }

  @Test
  void namesAQuantisedAttention() {
    Graphs graphs =
        Graphs.create()
            .input("x", -1, 3, 4)
            .weight("w", Values.random(1, 4, 12))
            .node(
                Node.of("com.microsoft.QAttention", "x", "w")
                    .to("/layer.0/attention/self/Reshape_3_output_0"));

    assertThat(Folding.bind(folder, graphs, adapter("layer.0.attention.self.query")).misses())
        .singleElement()
        .satisfies(m -> assertThat(m.cause()).isEqualTo(Miss.Cause.QUANTISED));
  }
}
