package dev.graft.adapter;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.tuple;

import dev.graft.adapter.LoraPair.Kind;
import dev.graft.adapter.Replacement.Origin;
import dev.graft.error.FormatException;
import dev.graft.safetensors.SafetensorsWriter;
import dev.graft.tensor.Shape;
import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class TargetAssemblerTest extends AdapterFixture {

  @Test
  void collectsAllProblemsInOneMessage() throws IOException {
    Path adapter =
        adapter(
            "",
            M + "a.lora_A.weight [2,3]",
            M + "b.lora_B.weight [3,2]",
            M + "c.weight [1]",
            M + "d.weight [1]");

    assertThatThrownBy(() -> PeftAdapter.open(adapter))
        .isInstanceOf(FormatException.class)
        .hasMessageContaining("3 problems")
        .hasMessageContaining("m.a.lora_A.weight")
        .hasMessageContaining("m.b.lora_B.weight")
        .hasMessageContaining("m.c.weight")
        .hasMessageContaining("m.d.weight");
  }

  @Test
  void refusesAnEmptyFile() throws IOException {
    Path adapter = adapter("");

    assertThatThrownBy(() -> PeftAdapter.open(adapter))
        .isInstanceOf(FormatException.class)
        .hasMessageContaining("holds no tensors");
  }

  @Test
  void refusesASavedModuleTwiceWithDifferentValues() throws IOException {
    new SafetensorsWriter()
        .add(M + "head.bias", Shape.of(1), new float[] {1})
        .add(M + "head.modules_to_save.bias", Shape.of(1), new float[] {2})
        .write(folder.resolve("adapter_model.safetensors"));
    Path adapter = config("\"modules_to_save\": [\"head\"]");

    assertThatThrownBy(() -> PeftAdapter.open(adapter))
        .isInstanceOf(FormatException.class)
        .hasMessageContaining("both stand for \"m.head.bias\"");
  }

  @ParameterizedTest
  @ValueSource(strings = {"[1, 2]", "[1, 1, 2]", "[1, -2, 3]", "{\"x\": [1, 2, 3]}"})
  void refusesTokenIndicesThatDoNotFit(String indices) throws IOException {
    Path adapter =
        adapter(
            "\"trainable_token_indices\": " + indices,
            M + "e.token_adapter.trainable_tokens_delta [3,5]");

    assertThatThrownBy(() -> PeftAdapter.open(adapter))
        .isInstanceOf(FormatException.class)
        .hasMessageContaining("trainable_token");
  }

  @Test
  void refusesTokenIndicesWithoutRows() throws IOException {
    Path adapter =
        adapter(
            "\"trainable_token_indices\": [1]",
            M + "q.lora_A.weight [2,3]",
            M + "q.lora_B.weight [5,2]");

    assertThatThrownBy(() -> PeftAdapter.open(adapter))
        .isInstanceOf(FormatException.class)
        .hasMessageContaining("trainable_token_indices is set, but no tensor");
  }

  @Test
  void readsTrainedHeadsAndBiases() {
    PeftAdapter saved = PeftAdapter.open(golden("bert-dynamo-save"));
    assertThat(only(saved, Replacement.class))
        .extracting(Replacement::parameter, Replacement::origin)
        .containsExactly(
            tuple("classifier.bias", Origin.MODULES_TO_SAVE),
            tuple("classifier.weight", Origin.MODULES_TO_SAVE));

    PeftAdapter biased = PeftAdapter.open(golden("bert-ts-bias"));
    assertThat(only(biased, Replacement.class)).hasSize(13);
    assertThat(only(biased, Replacement.class))
        .filteredOn(r -> r.origin() == Origin.BIAS)
        .hasSize(11)
        .extracting(Replacement::parameter)
        .contains("bert.encoder.layer.0.attention.self.query.bias", "bert.pooler.dense.bias");
  }

  @Test
  void takesEveryBiasWithBiasAll() throws IOException {
    PeftAdapter adapter =
        PeftAdapter.open(
            adapter(
                "\"bias\": \"all\", \"modules_to_save\": [\"head\"]",
                M + "q.lora_A.weight [2,3]",
                M + "q.lora_B.weight [5,2]",
                M + "q.base_layer.bias [5]",
                M + "norm.bias [3]",
                M + "attn.base_layer.in_proj_bias [9]",
                M + "relative_attention_bias.weight [4,2]",
                M + "head.bias [2]",
                M + "head.modules_to_save.bias [2]",
                M + "head.original_module.bias [2]",
                M + "head.weight [2,3]"));

    assertThat(only(adapter, Replacement.class))
        .filteredOn(r -> r.origin() == Origin.BIAS)
        .extracting(Replacement::parameter)
        .containsExactly(
            "m.q.bias", "m.norm.bias", "m.attn.in_proj_bias", "m.relative_attention_bias.weight");
    assertThat(only(adapter, Replacement.class))
        .filteredOn(r -> r.origin() == Origin.MODULES_TO_SAVE)
        .extracting(Replacement::parameter)
        .containsExactly("m.head.bias", "m.head.weight");
    assertThat(only(adapter, BaseCopy.class))
        .extracting(BaseCopy::parameter)
        .containsExactly("m.head.bias");
    assertThat(adapter.parameterCount()).isEqualTo(6 + 10 + 5 + 3 + 9 + 8 + 2 + 6);
  }

  @Test
  void readsEmbeddingsTheirCopiesAndTokenRows() throws IOException {
    PeftAdapter adapter =
        PeftAdapter.open(
            adapter(
                "\"trainable_token_indices\": {\"other\": [1], \"emb2\": [7, 0, 3]}",
                M + "emb.lora_embedding_A [2,11]",
                M + "emb.lora_embedding_B [5,2]",
                M + "emb.base_layer.weight [11,5]",
                M + "emb2.token_adapter.trainable_tokens_delta [3,5]",
                M + "lm_head.weight [11,5]"));

    assertThat(pair(adapter, "m.emb").kind()).isEqualTo(Kind.EMBEDDING);
    assertThat(only(adapter, BaseCopy.class))
        .extracting(BaseCopy::parameter)
        .containsExactly("m.emb.weight");
    assertThat(only(adapter, TokenRows.class))
        .singleElement()
        .satisfies(t -> {
          assertThat(t.module()).isEqualTo("m.emb2");
          assertThat(t.indices()).containsExactly(7L, 0L, 3L);
        });
    assertThat(only(adapter, Replacement.class))
        .singleElement()
        .satisfies(r -> {
          assertThat(r.parameter()).isEqualTo("m.lm_head.weight");
          assertThat(r.origin()).isEqualTo(Origin.SAVED_EMBEDDING);
        });
    assertThat(adapter.warnings()).singleElement().asString().contains("emb.base_layer.weight");
  }

  @Test
  void stripsWhatWrappersAddToNames() throws IOException {
    PeftAdapter adapter =
        PeftAdapter.open(
            adapter(
                "\"modules_to_save\": [\"head\"]",
                "_orig_mod.base_model.model._fsdp_wrapped_module.m.q.lora_A.default.weight [2,3]",
                "_orig_mod.base_model.model._fsdp_wrapped_module.m.q.lora_B.default.weight [5,2]",
                "base_model.model.m.head.modules_to_save.default.weight [2,3]"));

    assertThat(adapter.targets())
        .extracting(AdapterTarget::target)
        .containsExactly("m.q", "m.head.weight");
  }
}
