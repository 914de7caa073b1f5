package dev.graft.adapter;

import java.util.Arrays;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import java.util.stream.Collectors;

/**
 * Every field that PEFT 0.21 writes to a LoRA adapter's {@code adapter_config.json}. All but {@code
 * peft_type} may be absent, because older releases knew fewer; null means absent except where PEFT
 * could not work with it.
 */
enum ConfigField {
  PEFT_TYPE(FieldType.STRING),
  AUTO_MAPPING(FieldType.OBJECT),
  PEFT_VERSION(FieldType.STRING),
  BASE_MODEL_NAME_OR_PATH(FieldType.STRING),
  REVISION(FieldType.STRING),
  TASK_TYPE(FieldType.STRING),
  INFERENCE_MODE(FieldType.FLAG),
  R(FieldType.RANK),
  LORA_ALPHA(FieldType.NUMBER),
  LORA_DROPOUT(FieldType.NUMBER),
  TARGET_MODULES(FieldType.STRING_OR_STRINGS),
  EXCLUDE_MODULES(FieldType.STRING_OR_STRINGS),
  FAN_IN_FAN_OUT(FieldType.FLAG),
  BIAS(FieldType.BIAS_MODE),
  USE_RSLORA(FieldType.FLAG),
  MODULES_TO_SAVE(FieldType.STRINGS),
  INIT_LORA_WEIGHTS(FieldType.FLAG_OR_STRING),
  LAYERS_TO_TRANSFORM(FieldType.INTEGER_OR_INTEGERS),
  LAYERS_PATTERN(FieldType.STRING_OR_STRINGS),
  RANK_PATTERN(FieldType.RANK_BY_PATTERN),
  ALPHA_PATTERN(FieldType.NUMBER_BY_PATTERN),
  MEGATRON_CONFIG(FieldType.OBJECT),
  MEGATRON_CORE(FieldType.STRING),
  TRAINABLE_TOKEN_INDICES(FieldType.INTEGERS_OR_BY_MODULE),
  LOFTQ_CONFIG(FieldType.OBJECT),
  EVA_CONFIG(FieldType.OBJECT),
  CORDA_CONFIG(FieldType.OBJECT),
  LORA_GA_CONFIG(FieldType.OBJECT),
  USE_DORA(FieldType.FLAG),
  VELORA_CONFIG(FieldType.OBJECT),
  ALORA_INVOCATION_TOKENS(FieldType.INTEGERS),
  USE_QALORA(FieldType.FLAG),
  QALORA_GROUP_SIZE(FieldType.INTEGER),
  MONTECLORA_CONFIG(FieldType.OBJECT),
  LAYER_REPLICATION(FieldType.RANGES),
  RUNTIME_CONFIG(FieldType.OBJECT),
  LORA_BIAS(FieldType.FLAG),
  TARGET_PARAMETERS(FieldType.STRINGS),
  USE_BDLORA(FieldType.OBJECT),
  ARROW_CONFIG(FieldType.OBJECT),
  KASA_CONFIG(FieldType.OBJECT),
  ENSURE_WEIGHT_TYING(FieldType.FLAG);

  private static final Map<String, ConfigField> BY_KEY =
      Arrays.stream(values())
          .collect(Collectors.toUnmodifiableMap(ConfigField::key, Function.identity()));

  private final FieldType type;

  ConfigField(FieldType type) {
    this.type = type;
  }

  /** The name in the file. */
  String key() {
    return name().toLowerCase(Locale.ROOT);
  }

  FieldType type() {
    return type;
  }

  /** Whether null stands for the default. */
  boolean nullable() {
    return this != PEFT_TYPE && this != R && this != LORA_ALPHA && this != BIAS;
  }

  static Optional<ConfigField> of(String key) {
    return Optional.ofNullable(BY_KEY.get(key));
  }
}
