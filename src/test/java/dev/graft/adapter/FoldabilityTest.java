package dev.graft.adapter;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class FoldabilityTest {

  @TempDir Path folder;

  private AdapterConfig lora(String fields) throws IOException {
    return AdapterConfig.read(
        Files.writeString(
            folder.resolve("adapter_config.json"), "{\"peft_type\":\"LORA\"," + fields + "}"));
  }

  @ParameterizedTest
  @CsvSource(
      delimiterString = " ~ ",
      value = {
        "\"init_lora_weights\": \"pissa\" ~ init_lora_weights is 'pissa' ~ path_initial_model_for_weight_conversion",
        "\"init_lora_weights\": \"pissa_niter_16\" ~ init_lora_weights is 'pissa_niter_16' ~ conversion",
        "\"init_lora_weights\": \"OLoRA\" ~ init_lora_weights is 'OLoRA' ~ conversion",
        "\"init_lora_weights\": \"corda\" ~ init_lora_weights is 'corda' ~ conversion",
        "\"init_lora_weights\": \"lora_ga\" ~ init_lora_weights is 'lora_ga' ~ conversion",
        "\"init_lora_weights\": \"loftq\" ~ init_lora_weights is 'loftq' ~ export the merged model",
        "\"init_lora_weights\": \"new\" ~ init_lora_weights is 'new' ~ unknown",
        "\"alora_invocation_tokens\": [1, 2] ~ alora_invocation_tokens is [1, 2] ~ active adapter",
        "\"arrow_config\": {\"top_k\": 3} ~ arrow_config is {\"top_k\": 3} ~ router",
        "\"kasa_config\": {} ~ kasa_config is {} ~ merge with PEFT",
        "\"layer_replication\": [[0, 4], [2, 5]] ~ layer_replication is [[0, 4], [2, 5]] ~ export",
        "\"use_qalora\": true ~ use_qalora is true ~ plain LoRA",
        "\"use_dora\": true, \"target_parameters\": [\"a.b\"] ~ use_dora is true ~ refuses"
      })
  void namesFieldValueAndWayOut(String fields, String fieldAndValue, String wayOut)
      throws IOException {
    assertThat(Foldability.refusals(lora(fields)))
        .singleElement()
        .asString()
        .startsWith(fieldAndValue)
        .contains(wayOut);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "\"init_lora_weights\": true",
        "\"init_lora_weights\": false",
        "\"init_lora_weights\": \"gaussian\"",
        "\"init_lora_weights\": \"eva\"",
        "\"init_lora_weights\": \"orthogonal\"",
        "\"init_lora_weights\": \"mica\"",
        "\"layer_replication\": []",
        "\"alora_invocation_tokens\": null",
        "\"use_qalora\": false",
        "\"velora_config\": {}",
        "\"monteclora_config\": {}",
        "\"use_bdlora\": {}",
        "\"use_dora\": true"
      })
  void acceptsWhatLeavesTheBaseAsItWas(String fields) throws IOException {
    assertThat(Foldability.refusals(lora(fields))).isEmpty();
  }
}
