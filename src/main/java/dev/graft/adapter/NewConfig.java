package dev.graft.adapter;

import dev.graft.safetensors.Json;
import dev.graft.safetensors.StrictJson;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.SequencedMap;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.stream.Collectors;

/**
 * The configuration of an adapter that is made anew, as PEFT writes {@code adapter_config.json}:
 * every field, sorted, the ones that are not set with PEFT's defaults. Values are checked when the
 * text is read back.
 */
public final class NewConfig {

  /** The release whose fields these are. */
  private static final String PEFT_VERSION = "0.21.0";

  private final SortedMap<String, Json> values;

  private NewConfig(SortedMap<String, Json> values) {
    this.values = Collections.unmodifiableSortedMap(values);
  }

  /** A configuration with PEFT's defaults, which targets nothing yet. */
  public static NewConfig defaults() {
    TreeMap<String, Json> values = new TreeMap<>();
    for (ConfigField field : ConfigField.values()) {
      if (field != ConfigField.RUNTIME_CONFIG) {
        values.put(field.key(), byDefault(field));
      }
    }
    return new NewConfig(values);
  }

  private static Json byDefault(ConfigField field) {
    return switch (field) {
      case PEFT_TYPE -> new Json.Str("LORA");
      case PEFT_VERSION -> new Json.Str(PEFT_VERSION);
      case R, LORA_ALPHA -> new Json.Num("8");
      case LORA_DROPOUT -> new Json.Num("0.0");
      case BIAS -> new Json.Str("none");
      case MEGATRON_CORE -> new Json.Str("megatron.core");
      case QALORA_GROUP_SIZE -> new Json.Num("16");
      case INIT_LORA_WEIGHTS, INFERENCE_MODE -> Json.Bool.TRUE;
      case RANK_PATTERN, ALPHA_PATTERN, LOFTQ_CONFIG -> new Json.Obj(new LinkedHashMap<>());
      default -> field.type() == FieldType.FLAG ? Json.Bool.FALSE : Json.Null.NULL;
    };
  }

  private NewConfig with(ConfigField field, Json value) {
    TreeMap<String, Json> changed = new TreeMap<>(values);
    changed.put(field.key(), value);
    return new NewConfig(changed);
  }

  /** With another rank. */
  public NewConfig r(int rank) {
    return with(ConfigField.R, new Json.Num(Integer.toString(rank)));
  }

  /** With another alpha. */
  public NewConfig loraAlpha(double alpha) {
    return with(ConfigField.LORA_ALPHA, number(alpha));
  }

  /** With the scale alpha / sqrt(r). */
  public NewConfig useRslora() {
    return with(ConfigField.USE_RSLORA, Json.Bool.TRUE);
  }

  /** With magnitude vectors. */
  public NewConfig useDora() {
    return with(ConfigField.USE_DORA, Json.Bool.TRUE);
  }

  /** With a bias of B. */
  public NewConfig loraBias() {
    return with(ConfigField.LORA_BIAS, Json.Bool.TRUE);
  }

  /** Targets modules by their names or the ends of them. */
  public NewConfig targetModules(List<String> names) {
    return with(ConfigField.TARGET_MODULES, strings(names));
  }

  /** Targets modules whose whole names a regular expression matches. */
  public NewConfig targetModules(String pattern) {
    return with(ConfigField.TARGET_MODULES, new Json.Str(pattern));
  }

  /** Leaves modules out by their names or the ends of them. */
  public NewConfig excludeModules(List<String> names) {
    return with(ConfigField.EXCLUDE_MODULES, strings(names));
  }

  /** Leaves modules out whose whole names a regular expression matches. */
  public NewConfig excludeModules(String pattern) {
    return with(ConfigField.EXCLUDE_MODULES, new Json.Str(pattern));
  }

  /** Targets these layers only, counted from 0. */
  public NewConfig layersToTransform(List<Integer> layers) {
    return with(
        ConfigField.LAYERS_TO_TRANSFORM,
        new Json.Arr(layers.stream().<Json>map(l -> new Json.Num(l.toString())).toList()));
  }

  /** Says what the list of layers is called, such as {@code layers} or {@code h}. */
  public NewConfig layersPattern(String name) {
    return with(ConfigField.LAYERS_PATTERN, new Json.Str(name));
  }

  /** Gives modules ranks of their own; the first pattern that matches wins. */
  public NewConfig rankPattern(SequencedMap<String, Integer> ranks) {
    LinkedHashMap<String, Json> members = new LinkedHashMap<>();
    ranks.forEach((pattern, rank) -> members.put(pattern, new Json.Num(rank.toString())));
    return with(ConfigField.RANK_PATTERN, new Json.Obj(members));
  }

  /** Gives modules alphas of their own; the first pattern that matches wins. */
  public NewConfig alphaPattern(SequencedMap<String, Double> alphas) {
    LinkedHashMap<String, Json> members = new LinkedHashMap<>();
    alphas.forEach((pattern, alpha) -> members.put(pattern, number(alpha)));
    return with(ConfigField.ALPHA_PATTERN, new Json.Obj(members));
  }

  /** Trains modules whole, beside those that get branches. */
  public NewConfig modulesToSave(List<String> names) {
    return with(ConfigField.MODULES_TO_SAVE, strings(names));
  }

  /** {@code true}, {@code false} or the name of an initialisation. */
  public NewConfig initLoraWeights(String how) {
    Json value =
        switch (how) {
          case "true" -> Json.Bool.TRUE;
          case "false" -> Json.Bool.FALSE;
          default -> new Json.Str(how);
        };
    return with(ConfigField.INIT_LORA_WEIGHTS, value);
  }

  /** The file's text, indented by two as PEFT has it. */
  public String json() {
    return values.entrySet().stream()
        .map(e -> "  " + StrictJson.quote(e.getKey()) + ": " + indented(e.getValue()))
        .collect(Collectors.joining(",\n", "{\n", "\n}"));
  }

  private static String indented(Json value) {
    return switch (value) {
      case Json.Arr list when !list.items().isEmpty() ->
          list.items().stream()
              .map(item -> "    " + item)
              .collect(Collectors.joining(",\n", "[\n", "\n  ]"));
      case Json.Obj object when !object.members().isEmpty() ->
          object.members().entrySet().stream()
              .map(e -> "    " + StrictJson.quote(e.getKey()) + ": " + e.getValue())
              .collect(Collectors.joining(",\n", "{\n", "\n  }"));
      default -> value.toString();
    };
  }

  /** PEFT keeps whole alphas as integers. */
  private static Json number(double value) {
    return new Json.Num(
        value == Math.rint(value) && Math.abs(value) < 1e15
            ? Long.toString((long) value)
            : Double.toString(value));
  }

  private static Json strings(List<String> values) {
    return new Json.Arr(values.stream().<Json>map(Json.Str::new).toList());
  }
}
