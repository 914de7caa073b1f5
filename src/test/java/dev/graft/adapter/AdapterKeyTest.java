package dev.graft.adapter;

import static org.assertj.core.api.Assertions.assertThat;

import dev.graft.adapter.AdapterKey.Role;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class AdapterKeyTest {

  @ParameterizedTest
  @CsvSource({
    // key, role, module or parameter, owner, depth, adapter's name
    "base_model.model.m.q.lora_A.weight, A, m.q, m.q, 0,",
    "base_model.model.m.q.lora_B.weight, B, m.q, m.q, 0,",
    "base_model.model.m.q.lora_B.bias, BIAS_OF_B, m.q, m.q, 0,",
    "base_model.model.m.q.lora_B.default.bias, BIAS_OF_B, m.q, m.q, 0, default",
    "base_model.model.m.q.lora_A.default.weight, A, m.q, m.q, 0, default",
    "base_model.model.m.q.lora_A.my-run.weight, A, m.q, m.q, 0, my-run",
    "m.q.lora_A.weight, A, m.q, m.q, 0,",
    "module.base_model.model.m.q.lora_A.weight, A, m.q, m.q, 0,",
    "_orig_mod.base_model.model.m.q.lora_A.weight, A, m.q, m.q, 0,",
    "base_model.model._orig_mod.m._fsdp_wrapped_module.q.lora_A.weight, A, m.q, m.q, 0,",
    "base_model.model.m._checkpoint_wrapped_module.q.lora_A.weight, A, m.q, m.q, 0,",
    "base_model.model.m.emb.lora_embedding_A, EMBEDDING_A, m.emb, m.emb, 0,",
    "base_model.model.m.emb.lora_embedding_B.default, EMBEDDING_B, m.emb, m.emb, 0, default",
    "base_model.model.m.q.lora_magnitude_vector, MAGNITUDE, m.q, m.q, 0,",
    "base_model.model.m.q.lora_magnitude_vector.default.weight, MAGNITUDE, m.q, m.q, 0, default",
    "base_model.model.m.q.lora_magnitude_vector.weight, MAGNITUDE, m.q, m.q, 0,",
    "base_model.model.attn.base_layer.out_proj.lora_A.weight, A, attn.out_proj, attn, 0,",
    "base_model.model.experts.base_layer.lora_A.weight, A, experts, experts, 1,",
    "base_model.model.experts.base_layer.base_layer.lora_A.weight, A, experts, experts, 2,",
    "base_model.model.m.emb.token_adapter.trainable_tokens_delta, TOKEN_ROWS, m.emb, m.emb, 0,",
    "base_model.model.m.emb.token_adapter.base_layer.weight, BASE_COPY, m.emb.weight, m.emb, 0,",
    "base_model.model.cls.modules_to_save.default.weight, SAVED_PARAMETER, cls.weight, cls.weight, 0,",
    "base_model.model.cls.modules_to_save.dense.weight, SAVED_PARAMETER, cls.dense.weight, cls.dense.weight, 0,",
    "base_model.model.cls.original_module.weight, BASE_COPY, cls.weight, cls.weight, 0,",
    "base_model.model.m.q.base_layer.bias, WRAPPED_PARAMETER, m.q.bias, m.q, 0,",
    "base_model.model.classifier.weight, PLAIN_PARAMETER, classifier.weight, classifier.weight, 0,",
    "base_model.model.m.q.lora_C.weight, UNKNOWN, m.q.lora_C.weight, m.q.lora_C.weight, 0,",
    "base_model.model.m.q.lora_A.a.b.weight, UNKNOWN, m.q.a.b.weight, m.q.a.b.weight, 0,",
    "base_model.model.m.q.lora_A, UNKNOWN, m.q, m.q, 0,",
    "trainable_tokens_delta, UNKNOWN, '', '', 0,",
    "modules_to_save, UNKNOWN, '', '', 0,",
    "'', PLAIN_PARAMETER, '', '', 0,"
  })
  void takesKeysApart(
      String key, Role role, String module, String owner, int depth, String adapterName) {
    AdapterKey parsed = AdapterKey.parse(key);

    assertThat(parsed.role()).isEqualTo(role);
    assertThat(parsed.module()).isEqualTo(module);
    assertThat(parsed.scope()).isEqualTo(new AdapterKey.Scope(owner, depth));
    assertThat(parsed.adapterName().orElse(null)).isEqualTo(adapterName);
  }
}
