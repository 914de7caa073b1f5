package dev.graft.fold;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.graft.error.FormatException;
import dev.graft.fold.NewSize.Kind;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

class ConfigSizesTest {

  private static final NewSize LABELS = new NewSize(Kind.LABELS, 2, 3);
  private static final NewSize TOKENS = new NewSize(Kind.TOKENS, 61, 65);

  @TempDir Path adapter;
  private final List<String> notes = new ArrayList<>();

  private JsonNode written(String file, String content, NewSize... sizes) {
    byte[] bytes =
        new ConfigSizes(List.of(sizes), adapter)
            .in(Path.of("base", file), content.getBytes(StandardCharsets.UTF_8), notes);
    return JsonMapper.shared().readTree(bytes);
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "[1]", "{\"id2label\": ", "\"text\""})
  void refusesAConfigurationThatIsNoObject(String content) {
    assertThatThrownBy(() -> written("config.json", content, LABELS))
        .isInstanceOf(FormatException.class)
        .hasMessageContaining("config.json: is not");
  }

  @Test
  void refusesADamagedConfigurationOfTheAdapter() throws IOException {
    Files.writeString(adapter.resolve("config.json"), "{");
    assertThatThrownBy(() -> written("config.json", "{}", LABELS))
        .isInstanceOf(FormatException.class)
        .hasMessageContaining(adapter.toString());
  }

  @Test
  void leavesAConfigurationAloneThatCountsOtherwise() {
    String content =
        "{\"id2label\": {\"0\": \"a\", \"1\": \"b\", \"2\": \"c\", \"3\": \"d\"}, \"vocab_size\": 7}";
    JsonNode config = written("config.json", content, LABELS, TOKENS);
    assertThat(config).isEqualTo(JsonMapper.shared().readTree(content));
    assertThat(notes)
        .containsExactly(
            "config.json names 4 labels, not the base's 2; it was left as it is",
            "config.json: vocab_size is 7, not the base's 61; it was left as it is");
  }

  @Test
  void keepsEveryByteWhereNothingIsNew() {
    byte[] content = "{ \"id2label\" :{}}".getBytes(StandardCharsets.UTF_8);
    assertThat(new ConfigSizes(List.of(), adapter).in(Path.of("config.json"), content, notes))
        .isSameAs(content);
    assertThat(
            new ConfigSizes(List.of(LABELS), adapter).in(Path.of("tokenizer.json"), content, notes))
        .isSameAs(content);
  }

  @Test
  void numbersTheNewLabels() {
    JsonNode config =
        written(
            "config.json",
            "{\"id2label\": {\"0\": \"NO\", \"1\": \"YES\"}, \"label2id\": {\"NO\": 0, \"YES\": 1}, \"num_labels\": 2, \"hidden_size\": 16}",
            LABELS);
    assertThat(config.toString())
        .isEqualTo(
            "{\"id2label\":{\"0\":\"LABEL_0\",\"1\":\"LABEL_1\",\"2\":\"LABEL_2\"},"
                + "\"label2id\":{\"LABEL_0\":0,\"LABEL_1\":1,\"LABEL_2\":2},\"num_labels\":3,\"hidden_size\":16}");
    assertThat(notes).isEmpty();
  }

  /** transformers writes no labels where there are two of no name. */
  @Test
  void namesLabelsWhereTheBaseHasTheTwoThatNeedNoName() {
    assertThat(written("config.json", "{}", LABELS).path("id2label").size()).isEqualTo(3);
  }

  @Test
  void takesTheNamesThatTheAdapterGives() throws IOException {
    Files.writeString(
        adapter.resolve("config.json"),
        "{\"id2label\": {\"0\": \"bad\", \"1\": \"fair\", \"2\": \"good\"}}");
    JsonNode config = written("config.json", "{}", LABELS);
    assertThat(config.at("/id2label/2").asString()).isEqualTo("good");
    assertThat(config.at("/label2id/good").asInt()).isEqualTo(2);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "{\"id2label\": {\"0\": \"bad\", \"1\": \"good\"}}",
        "{\"id2label\": {\"0\": \"bad\", \"1\": \"bad\", \"2\": \"good\"}}",
        "{\"id2label\": [\"a\", \"b\", \"c\"]}",
        "{}"
      })
  void makesNamesUpWhereTheAdapterDoesNotNameEachOnce(String content) throws IOException {
    Files.writeString(adapter.resolve("config.json"), content);
    assertThat(written("config.json", "{}", LABELS).at("/id2label").propertyNames())
        .containsExactly("0", "1", "2");
    assertThat(written("config.json", "{}", LABELS).at("/label2id").propertyNames())
        .containsExactly("LABEL_0", "LABEL_1", "LABEL_2");
  }

  @Test
  void countsTheTokensAnew() {
    assertThat(written("config.json", "{\"vocab_size\": 61}", TOKENS).path("vocab_size").asInt())
        .isEqualTo(65);
    assertThat(
            written("genai_config.json", "{\"model\": {\"vocab_size\": 61}}", TOKENS, LABELS)
                .at("/model/vocab_size")
                .asInt())
        .isEqualTo(65);
  }

  @Test
  void saysWhatIsLeftToTheUser() {
    ConfigSizes sizes = new ConfigSizes(List.of(LABELS, TOKENS), adapter);
    assertThat(sizes.leftAlone(Path.of("out/config.json")))
        .containsExactly(
            "config.json is there already and was not changed; the merged model has 3 labels, the base had 2",
            "config.json is there already and was not changed; the merged model has 65 rows of tokens, the base had 61");
    assertThat(sizes.leftAlone(Path.of("out/genai_config.json"))).hasSize(1);
    assertThat(sizes.leftAlone(Path.of("out/tokenizer.json"))).isEmpty();
  }
}
