package dev.graft.adapter;

import dev.graft.safetensors.Json;
import java.nio.file.Path;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SequencedMap;

/**
 * A LoRA adapter's {@code adapter_config.json}, every field of PEFT 0.21 known by name and checked
 * for its type. Fields that are absent have PEFT's defaults.
 */
public final class AdapterConfig {

  private static final long STEPS_PER_NAME = 20_000_000;
  private static final int DEFAULT_RANK = 8;
  private static final double DEFAULT_ALPHA = 8;

  private final Path path;
  private final Map<ConfigField, Json> values;
  private final List<String> unknown;
  private final PatternTable<Integer> ranks;
  private final PatternTable<Double> alphas;
  private final BlockDiagonal blockDiagonal;

  private AdapterConfig(Path path, ConfigReader.Fields fields) {
    this.path = path;
    this.values = fields.values();
    this.unknown = fields.unknown();
    ConfigValues reader = new ConfigValues(values);
    this.ranks = PatternTable.of(path + ": rank_pattern", reader.ranks(ConfigField.RANK_PATTERN));
    this.alphas =
        PatternTable.of(path + ": alpha_pattern", reader.numbers(ConfigField.ALPHA_PATTERN));
    this.blockDiagonal = reader.blockDiagonal(path + "");
  }

  /**
   * Reads and checks a file.
   *
   * @throws dev.graft.error.FormatException if it is missing, no strict JSON, or a field has the
   *     wrong type
   * @throws dev.graft.error.UnsupportedException if {@code peft_type} is not LORA
   */
  public static AdapterConfig read(Path path) {
    return new AdapterConfig(path, ConfigReader.read(path));
  }

  /**
   * Checks a text as {@link #read} checks a file.
   *
   * @param path the file that is to hold it, as errors name it; need not be there yet
   * @param text the whole text
   */
  public static AdapterConfig parse(Path path, String text) {
    return new AdapterConfig(path, ConfigReader.parse(path, text));
  }

  /** The file as it was given to {@link #read} or {@link #parse}. */
  public Path path() {
    return path;
  }

  /**
   * The names of fields that PEFT 0.21 does not have, in the order of the file; PEFT ignores them
   * with a warning.
   */
  public List<String> unknownFields() {
    return unknown;
  }

  /** Every known field that the file sets to something other than null, as JSON text by name. */
  public SequencedMap<String, String> knownFields() {
    SequencedMap<String, String> result = new LinkedHashMap<>();
    values.forEach((field, value) -> result.put(field.key(), value.toString()));
    return Collections.unmodifiableSequencedMap(result);
  }

  /** The default rank; modules may have their own by {@code rank_pattern}. */
  public int r() {
    return values.get(ConfigField.R) instanceof Json.Num n ? (int) n.toDouble() : DEFAULT_RANK;
  }

  /** The default alpha; modules may have their own by {@code alpha_pattern}. */
  public double loraAlpha() {
    return values.get(ConfigField.LORA_ALPHA) instanceof Json.Num n ? n.toDouble() : DEFAULT_ALPHA;
  }

  /** Whether the scale is alpha / sqrt(r). */
  public boolean useRslora() {
    return flag(ConfigField.USE_RSLORA);
  }

  /** Whether modules carry a magnitude vector. */
  public boolean useDora() {
    return flag(ConfigField.USE_DORA);
  }

  /** Whether B has a bias. */
  public boolean loraBias() {
    return flag(ConfigField.LORA_BIAS);
  }

  /** Whether input embedding and output head share one adapter. */
  public boolean ensureWeightTying() {
    return flag(ConfigField.ENSURE_WEIGHT_TYING);
  }

  /** PEFT's own, unreliable, note that weights are stored [in, out]. */
  public boolean fanInFanOut() {
    return flag(ConfigField.FAN_IN_FAN_OUT);
  }

  /** Which biases were trained: {@code none}, {@code all} or {@code lora_only}. */
  public String bias() {
    return text(ConfigField.BIAS).orElse("none");
  }

  /** {@code true}, {@code false} or the name of the initialisation. */
  public String initLoraWeights() {
    Json value = values.getOrDefault(ConfigField.INIT_LORA_WEIGHTS, Json.Bool.TRUE);
    return value instanceof Json.Str(String name) ? name : value.toString();
  }

  /** The name or path of the model that the adapter was trained on. */
  public Optional<String> baseModelNameOrPath() {
    return text(ConfigField.BASE_MODEL_NAME_OR_PATH);
  }

  /** The task, such as {@code CAUSAL_LM} or {@code SEQ_CLS}. */
  public Optional<String> taskType() {
    return text(ConfigField.TASK_TYPE);
  }

  /** The release of PEFT that wrote the adapter. */
  public Optional<String> peftVersion() {
    return text(ConfigField.PEFT_VERSION);
  }

  /** Names of modules that were trained and saved whole. */
  public List<String> modulesToSave() {
    return strings(ConfigField.MODULES_TO_SAVE);
  }

  /** Names of the targeted modules; a single regular expression is a list of one. */
  public List<String> targetModules() {
    return text(ConfigField.TARGET_MODULES)
        .map(List::of)
        .orElseGet(() -> strings(ConfigField.TARGET_MODULES));
  }

  /** Names of the parameters that were targeted directly. */
  public List<String> targetParameters() {
    return strings(ConfigField.TARGET_PARAMETERS);
  }

  /**
   * The scaling of a module by PEFT's rules: the first key of {@code rank_pattern} and of {@code
   * alpha_pattern} that matches the module's name or its tail wins, in the order of the file.
   *
   * @param module the module's full name in the base model
   * @throws dev.graft.error.FormatException if a pattern needs too many steps
   */
  public Scaling scaling(String module) {
    return scaling(module, new StepBudget(STEPS_PER_NAME));
  }

  Scaling scaling(String module, StepBudget budget) {
    int rank = ranks.first(module, budget).orElse(r());
    double alpha = alphas.first(module, budget).orElse(loraAlpha());
    return useRslora() ? Scaling.rankStabilised(rank, alpha) : Scaling.plain(rank, alpha);
  }

  BlockDiagonal blockDiagonal() {
    return blockDiagonal;
  }

  /** The value of a field that has no accessor of its own. */
  Optional<Json> value(ConfigField field) {
    return Optional.ofNullable(values.get(field));
  }

  private boolean flag(ConfigField field) {
    return values.get(field) == Json.Bool.TRUE;
  }

  private Optional<String> text(ConfigField field) {
    return values.get(field) instanceof Json.Str(String text)
        ? Optional.of(text)
        : Optional.empty();
  }

  private List<String> strings(ConfigField field) {
    return new ConfigValues(values).strings(field);
  }
}
