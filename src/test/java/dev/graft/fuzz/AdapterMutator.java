package dev.graft.fuzz;

import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.random.RandomGenerator;
import java.util.stream.Stream;

/** Changes adapters: the configuration, its patterns most of all, the tensors and the index. */
final class AdapterMutator implements Mutator {

  /** As JSON text has them. */
  private static final List<String> PATTERNS =
      List.of(
          "(a*)*",
          "(a|a)*",
          "(a|aa)+$",
          "(.*)*",
          "(.*.*.*.*)*",
          "(?:(?:x+x+)+y)",
          ".*",
          "\\\\.",
          "\\\\d+",
          "\\\\w*",
          "\\\\b",
          "\\\\B",
          "\\\\Z",
          "\\\\1",
          "\\\\x41",
          "\\\\u0041",
          "\\\\",
          "[a-z]",
          "[^.]",
          "[]a]",
          "[",
          "[^",
          "[\\\\w-]",
          "(?=a)",
          "(?!a)",
          "(?<=a)",
          "(?P<n>a)",
          "(?P=n)",
          "(?>a)",
          "(?i)",
          "(",
          ")",
          "|",
          "^",
          "$",
          "*",
          "+",
          "?",
          "??",
          "*?",
          "++",
          "{0,999999999}",
          "{999999999}",
          "{2,1}",
          "{,}",
          "{",
          "}",
          "(((((((((",
          ")))))))))",
          "(?:",
          "(?=(?=(?=a)))",
          "(?=.*)*",
          "layers",
          "[0-9]+",
          ".",
          "q",
          "\\n",
          "\u00e9",
          "\\ud83d\\ude00");

  private static final List<String> PARTS =
      List.of(
          "base_model.model.",
          "base_model",
          "model",
          "layers.0.",
          "q",
          "k",
          ".",
          "..",
          "lora_A",
          "lora_B",
          ".weight",
          ".bias",
          "lora_embedding_A",
          "lora_embedding_B",
          "base_layer.",
          "lora_magnitude_vector",
          "token_adapter.trainable_tokens_delta",
          "modules_to_save",
          "original_module",
          "_orig_mod",
          "_fsdp_wrapped_module",
          "default",
          "embed_tokens",
          "lm_head",
          "classifier",
          "lora_",
          "experts",
          "a.safetensors",
          "b.safetensors",
          "A.safetensors",
          "../a.safetensors",
          "/a.safetensors",
          "adapter_model.safetensors");

  private static final Words WORDS =
      new Words(Stream.concat(PATTERNS.stream(), PARTS.stream()).toList());

  private static final Words FIELDS =
      Words.of(
          "peft_type",
          "r",
          "lora_alpha",
          "target_modules",
          "rank_pattern",
          "alpha_pattern",
          "bias",
          "use_rslora",
          "use_dora",
          "lora_bias",
          "modules_to_save",
          "trainable_token_indices",
          "target_parameters",
          "layers_to_transform",
          "layers_pattern",
          "use_bdlora",
          "nblocks",
          "target_modules_bd_a",
          "target_modules_bd_b",
          "init_lora_weights",
          "fan_in_fan_out",
          "task_type",
          "alora_invocation_tokens",
          "arrow_config",
          "kasa_config",
          "layer_replication",
          "use_qalora",
          "loftq_config",
          "megatron_config",
          "ensure_weight_tying",
          "exclude_modules",
          "auto_mapping",
          "weight_map",
          "metadata",
          "corda_config",
          "eva_config",
          "strange");

  private static final Words TENSORS =
      Words.of(
          "base_model.model.q.lora_A.weight",
          "base_model.model.q.lora_B.weight",
          "base_model.model.k.lora_A.weight",
          "base_model.model.k.lora_B.weight",
          "base_model.model.q.lora_B.bias",
          "base_model.model.e.lora_embedding_A",
          "base_model.model.e.lora_embedding_B",
          "base_model.model.q.lora_magnitude_vector.weight",
          "base_model.model.e.token_adapter.trainable_tokens_delta",
          "base_model.model.q.bias",
          "base_model.model.classifier.weight",
          "base_model.model.classifier.modules_to_save.weight",
          "base_model.model.experts.lora_A.weight",
          "base_model.model.experts.lora_B.weight",
          "base_model.model.experts.base_layer.lora_A.weight",
          "F32",
          "F16",
          "I8");

  private final JsonMutator config = new JsonMutator(WORDS, FIELDS);
  private final JsonMutator tensors = new JsonMutator(TENSORS, TENSORS);
  private final JsonMutator index = new JsonMutator(WORDS, TENSORS);

  @Override
  public byte[] mutate(byte[] input, byte[] donor, RandomGenerator random) {
    AdapterInput old = AdapterInput.parse(input);
    AdapterInput other = AdapterInput.parse(donor);
    int which = random.nextInt(8);
    String newConfig = old.config();
    String newTensors = old.tensors();
    String newIndex = old.index();
    if (which < 5) {
      newConfig = changed(config, old.config(), other.config(), random);
    }
    if (which > 3) {
      newTensors = changed(tensors, old.tensors(), other.tensors(), random);
    }
    if (!old.index().isEmpty() && random.nextInt(3) == 0) {
      newIndex = changed(index, old.index(), other.index(), random);
    }
    return new AdapterInput(newConfig, newTensors, newIndex).toBytes();
  }

  private static String changed(
      JsonMutator mutator, String old, String donor, RandomGenerator random) {
    return new String(
        mutator.mutate(
            old.getBytes(StandardCharsets.UTF_8), donor.getBytes(StandardCharsets.UTF_8), random),
        StandardCharsets.UTF_8);
  }
}
