package dev.graft.adapter;

import dev.graft.safetensors.Json;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Set;

/**
 * Finds in a configuration what keeps an adapter from being folded onto the plain base model, each
 * with a way out.
 */
final class Foldability {

  private static final Set<String> KEEPS_THE_BASE =
      Set.of("true", "false", "gaussian", "eva", "orthogonal", "mica");
  private static final String CONVERT =
      "the base weights were changed when training began, so the adapter is only right on that changed base; save it"
          + " again with PEFT's save_pretrained(..., path_initial_model_for_weight_conversion=FOLDER), which makes it"
          + " a plain LoRA";

  private Foldability() {}

  /** The reasons, empty if there is none. */
  static List<String> refusals(AdapterConfig config) {
    List<String> reasons = new ArrayList<>();
    initialisation(config, reasons);
    present(
        config,
        ConfigField.ALORA_INVOCATION_TOKENS,
        reasons,
        "the adapter acts only after certain tokens, which no change of weights can do; serve it as an active adapter");
    present(
        config,
        ConfigField.ARROW_CONFIG,
        reasons,
        "a router picks adapters token by token, which no change of weights can do; fold one of its adapters alone");
    present(
        config,
        ConfigField.KASA_CONFIG,
        reasons,
        "the base weights were truncated by SVD when training began; merge with PEFT and export the merged model");
    present(
        config,
        ConfigField.LAYER_REPLICATION,
        reasons,
        "layers of the base were repeated; export the model with the repeated layers, merged by PEFT");
    if (config.value(ConfigField.USE_QALORA).filter(Json.Bool.TRUE::equals).isPresent()) {
      reasons.add(
          "use_qalora is true: A acts on a pooled input of a GPTQ model; train a plain LoRA, or run it with PEFT");
    }
    if (config.useDora() && !config.targetParameters().isEmpty()) {
      reasons.add(
          "use_dora is true with target_parameters, which PEFT itself refuses; set one of the two only");
    }
    return reasons;
  }

  private static void initialisation(AdapterConfig config, List<String> reasons) {
    String init = config.initLoraWeights().toLowerCase(Locale.ROOT);
    String start = "init_lora_weights is '" + config.initLoraWeights() + "': ";
    if (init.startsWith("pissa") || Set.of("olora", "corda", "lora_ga").contains(init)) {
      reasons.add(start + CONVERT);
    } else if (init.equals("loftq")) {
      reasons.add(
          start
              + "the base was quantised and the adapter holds the difference; merge with PEFT on that quantised base"
              + " and export the merged model");
    } else if (!KEEPS_THE_BASE.contains(init)) {
      reasons.add(start + "this initialisation is unknown and may have changed the base weights");
    }
  }

  private static void present(
      AdapterConfig config, ConfigField field, List<String> reasons, String reason) {
    config
        .value(field)
        .filter(value -> !(value instanceof Json.Arr list && list.items().isEmpty()))
        .ifPresent(value -> reasons.add(field.key() + " is " + excerpt(value) + ": " + reason));
  }

  private static String excerpt(Json value) {
    String text = value.toString();
    return text.length() <= 60 ? text : text.substring(0, 60) + "...";
  }
}
