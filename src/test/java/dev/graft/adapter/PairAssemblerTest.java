package dev.graft.adapter;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.graft.adapter.LoraPair.Blocks;
import dev.graft.adapter.LoraPair.Kind;
import dev.graft.error.FormatException;
import dev.graft.safetensors.SafetensorsWriter;
import dev.graft.tensor.DType;
import dev.graft.tensor.Shape;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class PairAssemblerTest extends AdapterFixture {

  @ParameterizedTest
  @CsvSource(
      delimiterString = " ~ ",
      value = {
        "q.lora_A.weight [2,3] ~ its partner lora_B is missing",
        "q.lora_B.weight [5,2] ~ its partner lora_A is missing",
        "q.lora_A.weight [2];q.lora_B.weight [5,2] ~ has shape [2], expected a matrix",
        "q.lora_A.weight [0,3];q.lora_B.weight [5,0] ~ has shape [0, 3], expected a matrix",
        "q.lora_A.weight [2,3];q.lora_B.weight [5,3] ~ so rank 2, but tensor \"base_model.model.m.q.lora_B.weight\" has shape [5, 3], so rank 3",
        "q.lora_A.weight [3,3];q.lora_B.weight [5,3] ~ so rank 3, but adapter_config.json gives this module rank 2",
        "q.lora_A.weight [2,3,1,1];q.lora_B.weight [5,2] ~ expected B of the same rank",
        "q.lora_A.weight [2,3,3];q.lora_B.weight [5,2,3] ~ its kernel 1 everywhere",
        "e.lora_embedding_A [2,3,1];e.lora_embedding_B [5,2] ~ expected two matrices",
        "e.lora_embedding_A [3,9];e.lora_embedding_B [5,3] ~ rank 2",
        "e.lora_embedding_A [2,9];e.lora_B.weight [5,2] ~ factors of a linear layer and of an embedding",
        "q.lora_A.weight [2,3];q.lora_B.weight [5,2];q.lora_B.bias [5] ~ lora_bias is false, but the module has a lora_B.bias",
        "q.lora_A.weight [2,3];q.lora_B.weight [5,2];q.lora_magnitude_vector [5] ~ use_dora is false",
        "q.lora_A.weight [2,3];q.lora_A.default.weight [2,3];q.lora_B.weight [5,2] ~ both stand for \"m.q\"",
        "q.lora_A.x.weight [2,3];q.lora_B.y.weight [5,2] ~ several adapters",
        "q.lora_A.weight [2,3];q.lora_B.weight [5,2];k.weight [4] ~ tensors that no setting explains",
        "q.lora_A.weight [2,3];q.lora_B.weight [5,2];q.bias [5] ~ m.q.bias",
        "q.lora_A.weight [2,3];q.lora_B.weight [5,2];q.lora_diag [2] ~ lora_diag",
        "e.token_adapter.trainable_tokens_delta [2,4] ~ trainable_token_indices gives no indices"
      })
  void refusesTensorsThatDoNotFit(String specs, String message) throws IOException {
    String[] named = specs.split(";", -1);
    for (int i = 0; i < named.length; i++) {
      named[i] = M + named[i];
    }
    Path adapter = adapter("", named);

    assertThatThrownBy(() -> PeftAdapter.open(adapter))
        .isInstanceOf(FormatException.class)
        .hasMessageStartingWith(folder.resolve("adapter_model.safetensors").toString())
        .hasMessageContaining(message);
  }

  @Test
  void refusesMissingExtrasThatTheConfigurationPromises() throws IOException {
    Path adapter =
        adapter(
            "\"use_dora\": true, \"lora_bias\": true",
            M + "q.lora_A.weight [2,3]",
            M + "q.lora_B.weight [5,2]");

    assertThatThrownBy(() -> PeftAdapter.open(adapter))
        .isInstanceOf(FormatException.class)
        .hasMessageContaining("use_dora is true, but the module has no lora_magnitude_vector")
        .hasMessageContaining("lora_bias is true, but the module has no lora_B.bias");
  }

  @Test
  void stopsAtAPatternThatWouldRunForever() throws IOException {
    String[] specs = new String[800];
    for (int i = 0; i < specs.length; i += 2) {
      String module = M + i + ".a" + "a".repeat(7900);
      specs[i] = module + ".lora_A.weight [2,1]";
      specs[i + 1] = module + ".lora_B.weight [1,2]";
    }
    Path adapter = adapter("\"rank_pattern\": {\"((a?)*)*X\": 2}", specs);

    assertThatThrownBy(() -> PeftAdapter.open(adapter))
        .isInstanceOf(FormatException.class)
        .hasMessageContaining(
            "rank_pattern: pattern \"((a?)*)*X\": matching was given up after 100000000 steps");
  }

  @Test
  void refusesToFoldGroupedConvolutionsAndIntegers() throws IOException {
    new SafetensorsWriter()
        .add(M + "q.lora_A.weight", DType.INT8, Shape.of(2, 3), MemorySegment.ofArray(new byte[6]))
        .add(M + "q.lora_B.weight", Shape.of(5, 2), new float[10])
        .add(M + "c.lora_A.weight", Shape.of(2, 3, 3), new float[18])
        .add(M + "c.lora_B.weight", Shape.of(4, 1, 1), new float[4])
        .write(folder.resolve("adapter_model.safetensors"));
    PeftAdapter adapter = PeftAdapter.open(config(""));

    assertThat(adapter.refusals())
        .anyMatch(r -> r.contains("'m.c' is a grouped convolution (2 groups"))
        .anyMatch(r -> r.contains("q.lora_A.weight") && r.contains("I8"));
  }

  @Test
  void refusesExtrasAndBlocksOfTheWrongSize() throws IOException {
    Path adapter =
        adapter(
            "\"use_dora\": true, \"lora_bias\": true, \"use_bdlora\": {\"target_modules_bd_b\": [\"k\"],"
                + " \"nblocks\": 2}, \"target_parameters\": [\"experts.up\"]",
            M + "k.lora_A.weight [2,3]",
            M + "k.lora_B.weight [5,1]",
            M + "k.lora_B.bias [5]",
            M + "k.lora_magnitude_vector [5]",
            M + "q.lora_A.weight [2,3]",
            M + "q.lora_B.weight [5,2]",
            M + "q.lora_B.bias [4]",
            M + "q.lora_magnitude_vector [3]",
            M + "experts.lora_A.weight [5,3]",
            M + "experts.lora_B.weight [4,5]");

    assertThatThrownBy(() -> PeftAdapter.open(adapter))
        .isInstanceOf(FormatException.class)
        .hasMessageContaining(
            "k.lora_B.weight\" has shape [5, 1], whose rows do not divide into the 2 blocks")
        .hasMessageContaining("q.lora_B.bias\" has shape [4], expected 5 values")
        .hasMessageContaining("q.lora_magnitude_vector\" has shape [3], expected 5 values")
        .hasMessageContaining(
            "experts.lora_A.weight\" has shape [5, 3], so 5 rows, expected a multiple of the rank 2");
  }

  @Test
  void readsPlainPairsByPattern() {
    PeftAdapter adapter = PeftAdapter.open(golden("llama-ts-pattern"));

    assertThat(adapter.targets()).hasSize(14).allMatch(LoraPair.class::isInstance);
    LoraPair q = pair(adapter, "model.layers.0.self_attn.q_proj");
    assertThat(q.kind()).isEqualTo(Kind.LINEAR_OR_CONV);
    assertThat(q.rank()).isEqualTo(8);
    assertThat(q.scale()).isEqualTo(1);
    assertThat(q.a().shape()).isEqualTo(Shape.of(8, 32));
    assertThat(q.magnitude()).isEmpty();
    assertThat(q.blocks()).isEqualTo(new Blocks(1, 1));
    assertThat(pair(adapter, "model.layers.1.mlp.down_proj").scale()).isEqualTo(8);
    assertThat(adapter.warnings()).isEmpty();
    assertThat(adapter.refusals()).isEmpty();
    adapter.requireFoldable();
  }

  @Test
  void readsRankStabilisedScales() {
    assertThat(
            pair(PeftAdapter.open(golden("llama-ts-rslora")), "model.layers.0.self_attn.q_proj")
                .scale())
        .isEqualTo(4);
  }

  @Test
  void readsMagnitudes() {
    PeftAdapter adapter = PeftAdapter.open(golden("gpt2-ts-dora"));

    assertThat(pair(adapter, "transformer.h.0.attn.c_attn").magnitude())
        .hasValueSatisfying(m -> assertThat(m.shape()).isEqualTo(Shape.of(96)));
    assertThat(adapter.warnings()).singleElement().asString().contains("fan_in_fan_out");
  }

  @Test
  void readsConvolutionsBiasesOfBAndBlocks() throws IOException {
    PeftAdapter adapter =
        PeftAdapter.open(
            adapter(
                "\"lora_bias\": true, \"use_bdlora\":"
                    + " {\"target_modules_bd_a\": [\"o_\"], \"target_modules_bd_b\": [\"q_\"], \"nblocks\": 2}",
                M + "conv.lora_A.weight [2,3,3,3]",
                M + "conv.lora_B.weight [4,2,1,1]",
                M + "conv.lora_B.bias [4]",
                M + "o_proj.lora_A.weight [2,3]",
                M + "o_proj.lora_B.weight [4,2]",
                M + "o_proj.lora_B.bias [4]",
                M + "q_proj.lora_A.weight [2,6]",
                M + "q_proj.lora_B.weight [4,1]",
                M + "q_proj.lora_B.bias [4]"));

    assertThat(pair(adapter, "m.conv").a().shape()).isEqualTo(Shape.of(2, 3, 3, 3));
    assertThat(pair(adapter, "m.conv").biasOfB()).isPresent();
    assertThat(pair(adapter, "m.o_proj").blocks()).isEqualTo(new Blocks(2, 1));
    assertThat(pair(adapter, "m.q_proj").blocks()).isEqualTo(new Blocks(1, 2));
  }

  @Test
  void readsMultiheadAttentionWithTheScaleOfTheWhole() throws IOException {
    PeftAdapter adapter =
        PeftAdapter.open(
            adapter(
                "\"alpha_pattern\": {\"attn\": 6, \"out_proj\": 100}",
                M + "attn.lora_A.weight [2,4]",
                M + "attn.lora_B.weight [12,2]",
                M + "attn.base_layer.out_proj.lora_A.weight [2,4]",
                M + "attn.base_layer.out_proj.lora_B.weight [4,2]"));

    assertThat(pair(adapter, "m.attn.in_proj").scale()).isEqualTo(3);
    assertThat(pair(adapter, "m.attn.out_proj").scaling().alpha()).isEqualTo(6);
  }

  @Test
  void keepsTheRankAndStrengthOfEveryParameterThatExpertsMayStandFor() throws IOException {
    PeftAdapter adapter =
        PeftAdapter.open(
            adapter(
                "\"target_parameters\": [\"experts.down\", \"experts.up\"],"
                    + " \"rank_pattern\": {\"experts.down\": 3}, \"alpha_pattern\": {\"up\": 9}",
                M + "experts.lora_A.weight [6,4]",
                M + "experts.lora_B.weight [5,6]"));

    LoraPair pair = only(adapter, LoraPair.class).getFirst();
    assertThat(pair.parametersFor(2)).containsExactly("down");
    assertThat(pair.parametersFor(3)).containsExactly("up");
    assertThat(pair.parameters().scalings().get("up"))
        .satisfies(s -> assertThat(s.rank()).isEqualTo(2))
        .satisfies(s -> assertThat(s.factor()).isEqualTo(4.5));
    assertThat(adapter.refusals()).isEmpty();
  }

  @Test
  void readsExpertParameters() throws IOException {
    PeftAdapter adapter =
        PeftAdapter.open(
            adapter(
                "\"target_modules\": [\"q\"], \"target_parameters\": [\"experts.down\", \"experts.up\"],"
                    + " \"alpha_pattern\": {\"experts.up\": 4}",
                M + "experts.lora_A.weight [6,4]",
                M + "experts.lora_B.weight [5,6]",
                M + "experts.base_layer.lora_A.weight [6,7]",
                M + "experts.base_layer.lora_B.weight [4,6]",
                M + "q.lora_A.weight [2,4]",
                M + "q.lora_B.weight [4,2]"));

    List<LoraPair> experts =
        only(adapter, LoraPair.class).stream().filter(p -> p.kind() == Kind.PARAMETER).toList();
    assertThat(experts)
        .hasSize(2)
        .allMatch(p -> p.rank() == 2 && p.module().equals("m.experts"))
        .allMatch(p -> p.parametersFor(3).equals(List.of("down", "up")))
        .allMatch(p -> p.parametersFor(2).isEmpty());
    assertThat(experts.get(0).parameters().candidates()).containsExactly("down", "up");
    assertThat(experts.get(0).parameters().depth()).isZero();
    assertThat(experts.get(1).parameters().depth()).isEqualTo(1);
    assertThat(pair(adapter, "m.q").kind()).isEqualTo(Kind.LINEAR_OR_CONV);
    assertThat(adapter.refusals()).isEmpty();
  }

  @Test
  void tellsBareParameterNamesFromTargetedModules() throws IOException {
    PeftAdapter adapter =
        PeftAdapter.open(
            adapter(
                "\"target_modules\": \"all-linear\", \"target_parameters\": [\"up\"]",
                M + "experts.lora_A.weight [6,4]",
                M + "experts.lora_B.weight [5,6]",
                M + "q.lora_A.weight [2,4]",
                M + "q.lora_B.weight [4,2]"));

    assertThat(pair(adapter, "m.experts").kind()).isEqualTo(Kind.PARAMETER);
    assertThat(pair(adapter, "m.q").kind()).isEqualTo(Kind.LINEAR_OR_CONV);
  }
}
