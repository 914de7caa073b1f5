package dev.graft.adapter;

import dev.graft.safetensors.Json;
import dev.graft.safetensors.StrictJson;

/** What the configuration alone gives to say. */
final class ConfigFindings {

  private ConfigFindings() {}

  static Findings of(AdapterConfig config) {
    Findings findings = new Findings();
    Foldability.refusals(config).forEach(findings::refuse);
    if (!config.unknownFields().isEmpty()) {
      findings.warn(
          "adapter_config.json has fields that PEFT 0.21 does not know, ignored as PEFT does: "
              + Findings.lines(config.unknownFields().stream().map(StrictJson::excerpt).toList()));
    }
    if (config.fanInFanOut()) {
      findings.warn(
          "fan_in_fan_out is true; PEFT sets it unreliably, so the orientation is taken from the model's operators");
    }
    boolean hasLoftq =
        config
            .value(ConfigField.LOFTQ_CONFIG)
            .filter(value -> value instanceof Json.Obj object && !object.members().isEmpty())
            .isPresent();
    if (hasLoftq && !config.initLoraWeights().equals("loftq")) {
      findings.warn(
          "loftq_config is set although init_lora_weights is not 'loftq'; it is ignored, as PEFT does");
    }
    if (config.value(ConfigField.MONTECLORA_CONFIG).isPresent()) {
      findings.warn("monteclora_config is set; its sampling is ignored when folding, as PEFT does");
    }
    return findings;
  }
}
