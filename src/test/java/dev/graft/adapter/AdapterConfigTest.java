package dev.graft.adapter;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.graft.error.FormatException;
import dev.graft.error.UnsupportedException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class AdapterConfigTest {

  @TempDir Path folder;

  private AdapterConfig read(String json) {
    try {
      return AdapterConfig.read(Files.writeString(folder.resolve("adapter_config.json"), json));
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  private AdapterConfig lora(String fields) {
    return read("{\"peft_type\": \"LORA\"" + (fields.isEmpty() ? "" : ", " + fields) + "}");
  }

  static Stream<String> wronglyTyped() {
    return Arrays.stream(ConfigField.values())
        .filter(field -> field != ConfigField.PEFT_TYPE)
        .flatMap(field ->
            Stream.of(
                    "\"x\"",
                    "true",
                    "1",
                    "1.5",
                    "-1",
                    "[]",
                    "[1]",
                    "[\"x\"]",
                    "[[1]]",
                    "[null]",
                    "{}",
                    "{\"a\": null}",
                    "{\"a\": \"x\"}",
                    "{\"a\": 0}",
                    "9223372036854775808",
                    "1e999")
                .filter(value -> !accepts(field.type(), value))
                .map(value -> "\"" + field.key() + "\": " + value));
  }

  /** What the types mean, said a second time by value. */
  private static boolean accepts(FieldType type, String value) {
    return switch (type) {
      case STRING -> value.equals("\"x\"");
      case FLAG -> value.equals("true");
      case INTEGER -> value.equals("1") || value.equals("-1");
      case RANK -> value.equals("1");
      case NUMBER -> value.matches("-?[0-9.]+");
      case OBJECT -> value.startsWith("{");
      case STRINGS -> value.equals("[]") || value.equals("[\"x\"]");
      case INTEGERS -> value.equals("[]") || value.equals("[1]");
      case BIAS_MODE -> false;
      case STRING_OR_STRINGS ->
          value.equals("\"x\"") || value.equals("[]") || value.equals("[\"x\"]");
      case INTEGER_OR_INTEGERS ->
          value.equals("1") || value.equals("-1") || value.equals("[]") || value.equals("[1]");
      case FLAG_OR_STRING -> value.equals("true") || value.equals("\"x\"");
      case RANK_BY_PATTERN -> value.equals("{}");
      case NUMBER_BY_PATTERN -> value.equals("{}") || value.equals("{\"a\": 0}");
      case INTEGERS_OR_BY_MODULE -> value.equals("{}") || value.equals("[]") || value.equals("[1]");
      case RANGES -> value.equals("[]");
    };
  }

  @ParameterizedTest
  @MethodSource("wronglyTyped")
  void namesEveryFieldOfTheWrongType(String field) {
    String key = field.substring(1, field.indexOf("\":"));

    assertThatThrownBy(() -> lora(field))
        .isInstanceOf(FormatException.class)
        .hasMessageStartingWith(folder.resolve("adapter_config.json") + ": " + key + " must be ")
        .hasMessageContaining(", found ");
  }

  @Test
  void collectsAllFieldsOfTheWrongType() {
    assertThatThrownBy(() -> lora("\"r\": \"8\", \"use_dora\": 1, \"bias\": \"some\""))
        .isInstanceOf(FormatException.class)
        .hasMessageContaining("r must be an integer from 1 to 2^31 - 1, found the string \"8\"")
        .hasMessageContaining("use_dora must be true or false, found the number \"1\"")
        .hasMessageContaining(
            "bias must be \"none\", \"all\" or \"lora_only\", found the string \"some\"");
  }

  @ParameterizedTest
  @ValueSource(strings = {"r", "lora_alpha", "bias"})
  void refusesNullWherePeftCouldNotWorkWithIt(String field) {
    assertThatThrownBy(() -> lora("\"" + field + "\": null"))
        .isInstanceOf(FormatException.class)
        .hasMessageContaining(field + " must be");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "[]",
        "null",
        "{",
        "{\"peft_type\": \"LORA\", \"peft_type\": \"LORA\"}",
        "{\"peft_type\": \"LORA\"} x",
        "{\"peft_type\": \"LORA\", \"r\": NaN}",
        "{'peft_type': 'LORA'}",
        "{}",
        "{\"peft_type\": null}",
        "{\"peft_type\": 1}",
        "{\"r\": 8}"
      })
  void refusesWhatIsNoConfiguration(String json) {
    assertThatThrownBy(() -> read(json))
        .isInstanceOf(FormatException.class)
        .hasMessageStartingWith(folder.resolve("adapter_config.json").toString());
  }

  @Test
  void refusesDeepAndLargeFiles() throws IOException {
    assertThatThrownBy(() -> lora("\"x\": " + "[".repeat(100_000)))
        .isInstanceOf(FormatException.class)
        .hasMessageContaining("not strict JSON");
    Path large = Files.write(folder.resolve("large.json"), new byte[(8 << 20) + 1]);
    assertThatThrownBy(() -> AdapterConfig.read(large))
        .isInstanceOf(FormatException.class)
        .hasMessageContaining("at most 8388608");
    assertThatThrownBy(() -> AdapterConfig.read(folder.resolve("none.json")))
        .isInstanceOf(FormatException.class)
        .hasMessageContaining("none.json: no such file");
  }

  @ParameterizedTest
  @CsvSource({
    "LOHA, save_as_lora",
    "IA3, merge_and_unload",
    "PREFIX_TUNING, adds inputs",
    "lora, unknown",
    "NEWEST, unknown"
  })
  void refusesOtherTypesByName(String type, String wayOut) {
    // The other fields would be wrong for LoRA; the type must be what the message is about.
    assertThatThrownBy(() -> read("{\"r\": \"x\", \"peft_type\": \"" + type + "\"}"))
        .isInstanceOf(UnsupportedException.class)
        .hasMessageContaining("peft_type is \"" + type + "\"")
        .hasMessageContaining(wayOut);
  }

  @ParameterizedTest
  @EnumSource(
      value = ConfigField.class,
      mode = EnumSource.Mode.EXCLUDE,
      names = {"PEFT_TYPE", "R", "LORA_ALPHA", "BIAS"})
  void takesNullForTheDefault(ConfigField field) {
    AdapterConfig config = lora("\"" + field.key() + "\": null");

    assertThat(config.unknownFields()).isEmpty();
    assertThat(config.knownFields()).containsOnlyKeys("peft_type");
  }

  @Test
  void hasPeftsDefaults() {
    AdapterConfig config = lora("");

    assertThat(config.scaling("any")).isEqualTo(new Scaling(8, 8, 1));
    assertThat(config.bias()).isEqualTo("none");
    assertThat(config.initLoraWeights()).isEqualTo("true");
    assertThat(
            config.useDora()
                || config.useRslora()
                || config.loraBias()
                || config.ensureWeightTying())
        .isFalse();
    assertThat(config.baseModelNameOrPath()).isEmpty();
    assertThat(config.modulesToSave()).isEmpty();
  }

  @Test
  void knowsEveryFieldThatPeftWrites() {
    AdapterConfig config =
        AdapterConfig.read(Path.of("testdata/cases/llama-ts-pattern/adapter/adapter_config.json"));

    assertThat(config.unknownFields()).isEmpty();
    assertThat(config.peftVersion()).contains("0.21.0");
    assertThat(config.taskType()).contains("CAUSAL_LM");
    assertThat(config.targetModules()).hasSize(7).contains("q_proj");
    assertThat(config.scaling("model.layers.0.self_attn.q_proj")).isEqualTo(new Scaling(8, 8, 1));
    assertThat(config.scaling("model.layers.1.mlp.down_proj")).isEqualTo(new Scaling(4, 32, 8));
    assertThat(config.scaling("model.layers.1.mlp.up_proj")).isEqualTo(new Scaling(4, 8, 2));
  }

  @Test
  void listsUnknownFieldsInOrder() {
    AdapterConfig config = lora("\"zeta\": {\"a\": 1}, \"r\": 2, \"alpha\": null");

    assertThat(config.unknownFields()).containsExactly("zeta", "alpha");
  }

  @Test
  void takesTheFirstPatternThatMatchesInTheOrderOfTheFile() {
    AdapterConfig config =
        lora(
            "\"r\": 4, \"lora_alpha\": 1.5, \"use_rslora\": true,"
                + "\"rank_pattern\": {\"layers.1.q_proj\": 9, \"q_proj\": 16, \"layers.2.q_proj\": 25},"
                + "\"alpha_pattern\": {\"z.*\": 3, \"layers\\\\.2\\\\..*\": 10}");

    assertThat(config.scaling("layers.1.q_proj")).isEqualTo(new Scaling(9, 1.5, 0.5));
    assertThat(config.scaling("layers.2.q_proj")).isEqualTo(new Scaling(16, 10, 2.5));
    assertThat(config.scaling("layers.2.k_proj")).isEqualTo(new Scaling(4, 10, 5));
  }

  @Test
  void namesThePatternThatIsMalformed() {
    assertThatThrownBy(() -> lora("\"alpha_pattern\": {\"q_(\": 3}"))
        .isInstanceOf(FormatException.class)
        .hasMessageContaining("adapter_config.json: alpha_pattern: pattern \"q_(\": missing )");
    assertThatThrownBy(() -> lora("\"rank_pattern\": {\"(a)\\\\1\": 3}"))
        .isInstanceOf(UnsupportedException.class)
        .hasMessageContaining("rank_pattern: pattern");
  }

  @Test
  void readsBlockDiagonalParts() {
    AdapterConfig config =
        lora(
            "\"use_bdlora\": {\"target_modules_bd_a\": [\"o_proj\"], \"target_modules_bd_b\": null, \"nblocks\": 2}");

    assertThat(config.blockDiagonal().blocksOfA("layers.0.o_proj")).isEqualTo(2);
    assertThat(config.blockDiagonal().blocksOfB("layers.0.o_proj")).isEqualTo(1);
    assertThatThrownBy(() -> lora("\"use_bdlora\": {\"nblocks\": 0}"))
        .isInstanceOf(FormatException.class)
        .hasMessageContaining("use_bdlora.nblocks must be");
  }
}
