package dev.graft.fuzz;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.function.IntFunction;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Adapters made to cost time or memory: each is settled within a second and a bounded amount of
 * memory.
 */
class HostileAdapterTest {

  private static final int LONG = 8000;

  @TempDir Path folder;

  @ParameterizedTest
  @ValueSource(
      strings = {
        "(a*)*b",
        "(a|a)*b",
        "(a|aa)+b",
        "(.*.*.*.*.*.*.*.*)*b",
        "((((a{0,999}){0,999}){0,999}){0,999}){0,999}b",
        "(?=(?=(?=.*)*)*)*b",
        "(((.*)*)*)*(((.*)*)*)*b",
        "(?=.*(?=.*(?=.*(?=.*b))))a*b",
        "(?!(?!(?!.*b).*b).*b).*b",
        "([a-z]*|[^.]*|a+)*(?:a?){500}a{500}b",
        "(|a|)*(|a|)*(|a|)*b",
        "(\\\\b|\\\\B|a)*b"
      })
  void givesUpOnAPatternMadeToExplode(String pattern) throws IOException {
    Trial trial = open("\"rank_pattern\":{\"" + pattern + "\":3}", pairs(4, "a".repeat(LONG)));
    assertThat(trial.thrown()).hasMessageContaining("rank");
  }

  @Test
  void readsManyPatternsForManyLongNames() throws IOException {
    open(
        "\"rank_pattern\":" + object(100_000, i -> "\"k" + i + "\":2"),
        pairs(40, "a".repeat(LONG)));
    open(
        "\"alpha_pattern\":" + object(20_000, i -> "\".*k" + i + "\":2"),
        pairs(400, "a".repeat(200)));
  }

  @Test
  void readsLongListsOfTargetsForManyModules() throws IOException {
    String names = list(200_000, i -> "\"m" + i + ".q\"");
    open("\"target_modules\":" + names, pairs(1000, "layers.0.q"));
    open("\"target_modules\":[],\"target_parameters\":" + names, pairs(1000, "layers.0.q"));
    open("\"modules_to_save\":" + names, pairs(1000, "layers.0.q"));
  }

  @Test
  void readsManyBareParameterNames() throws IOException {
    open(
        "\"target_modules\":[],\"target_parameters\":" + list(100_000, i -> "\"p" + i + "\""),
        IntStream.range(0, 500)
            .mapToObj(i -> pair("m" + i, 3))
            .collect(Collectors.joining(",", "{", "}")));
  }

  @Test
  void refusesNamesMadeOfDots() throws IOException {
    String dots = ".a".repeat(LONG / 2);
    Trial trial =
        open(
            "\"modules_to_save\":[\"b\",\"c\"],\"target_modules\":[\"" + dots + "\"]",
            pairs(8, dots));
    assertThat(trial.thrown()).hasMessageContaining("no setting explains");
  }

  @Test
  void readsManyTokenRowsForManyIndices() throws IOException {
    open(
        "\"trainable_token_indices\":" + list(100_000, Integer::toString),
        object(2000, i -> "\"e" + i + ".token_adapter.trainable_tokens_delta\":[\"F32\",[2,2]]"));
    open(
        "\"trainable_token_indices\":" + object(100_000, i -> "\"x" + i + "\":[1]"),
        object(2000, i -> "\"e" + i + ".token_adapter.trainable_tokens_delta\":[\"F32\",[2,2]]"));
  }

  @Test
  void readsManyPartsOfNamesOfBlockDiagonals() throws IOException {
    open(
        "\"use_bdlora\":{\"nblocks\":2,\"target_modules_bd_a\":"
            + list(100_000, i -> "\"m" + i + "\"")
            + "}",
        pairs(1000, "layers.0.q"));
  }

  @Test
  void refusesAnObjectOfAMillionMembers() throws IOException {
    assertThat(
            open(object(700_000, i -> "\"" + i + "\":{}").replaceAll("^.|.$", ""), "{}").thrown())
        .hasMessageContaining("values");
  }

  @ParameterizedTest
  @ValueSource(strings = {"[],", "{},", "0,", "[[]],", "\"\",", "{\"a\":{}},", "null,"})
  void refusesAListOfMillions(String item) throws IOException {
    String items = item.repeat(8_000_000 / item.length());
    Trial trial = open("\"loftq_config\":[" + items + "0]", "{}");
    assertThat(trial.thrown()).hasMessageContaining("values");
  }

  @ParameterizedTest
  @ValueSource(strings = {"[", "{\"a\":"})
  void refusesEndlessNesting(String opening) throws IOException {
    String nested = opening.repeat(8_000_000 / opening.length());
    assertThat(open("\"loftq_config\":" + nested, "{}").thrown()).hasMessageContaining("nesting");
  }

  @Test
  void refusesANumberOfAMillionDigits() throws IOException {
    assertThat(open("\"lora_alpha\":" + "9".repeat(1 << 20), "{}").thrown())
        .hasMessageContaining("not strict JSON");
    open("\"lora_alpha\":1e999999999", "{}");
    open("\"r\":1e999999999", "{}");
    open("\"lora_alpha\":0." + "3".repeat(990) + "e-999999999", "{}");
  }

  @Test
  void readsAStringOfMillions() throws IOException {
    open("\"revision\":\"" + "x".repeat(8_000_000) + "\"", "{}");
    open("\"revision\":\"" + "\\u0041".repeat(1_300_000) + "\"", "{}");
    open("\"alora_invocation_tokens\":\"" + "x".repeat(8_000_000) + "\"", "{}");
  }

  @Test
  void refusesALargerConfiguration() throws IOException {
    assertThat(open("\"revision\":\"" + "x".repeat(9 << 20) + "\"", "{}").thrown())
        .hasMessageContaining("at most");
  }

  @Test
  void refusesNamesInTwoSpellings() throws IOException {
    assertThat(open("\"r\":2,\"\\u0072\":4", "{}").thrown()).hasMessageContaining("uplicate");
    String twice = pair("q", 2) + ",\"base_model.model.q.lora_\\u0041.weight\":[\"F32\",[2,4]]";
    assertThat(open("\"r\":2", "{" + twice + "}").thrown()).hasMessageContaining("uplicate");
  }

  @Test
  void refusesTwoTensorsForOnePlace() throws IOException {
    String wrapped =
        pair("q", 2) + "," + pair("_orig_mod.q", 2) + "," + pair("base_model.model.q", 2);
    assertThat(open("\"r\":2", "{" + wrapped + "}").thrown())
        .hasMessageContaining("both stand for");
  }

  @Test
  void readsManyNamesWithOneHash() throws IOException {
    open(
        "\"modules_to_save\":[\"z\"]",
        IntStream.range(0, 1 << 13)
            .mapToObj(i -> pair(Bounds.collision(i, 13), 2))
            .collect(Collectors.joining(",", "{", "}")));
  }

  private Trial open(String fields, String tensors) throws IOException {
    Path own = Files.createTempDirectory(folder, "a");
    try (AdapterReader reader = new AdapterReader(own)) {
      reader.lay(
          new AdapterInput("{\"peft_type\":\"LORA\"," + fields + "}", tensors, "").toBytes());
      return Bounds.hold(fields.length() + tensors.length(), reader::read);
    }
  }

  private static String pairs(int count, String module) {
    return IntStream.range(0, count)
        .mapToObj(i -> pair(i + module, 2))
        .collect(Collectors.joining(",", "{", "}"));
  }

  private static String pair(String module, int rank) {
    String start = "\"base_model.model." + module;
    return "%s.lora_A.weight\":[\"F32\",[%d,4]],%s.lora_B.weight\":[\"F32\",[4,%d]]"
        .formatted(start, rank, start, rank);
  }

  private static String list(int count, IntFunction<String> item) {
    return IntStream.range(0, count).mapToObj(item).collect(Collectors.joining(",", "[", "]"));
  }

  private static String object(int count, IntFunction<String> member) {
    return IntStream.range(0, count).mapToObj(member).collect(Collectors.joining(",", "{", "}"));
  }
}
