package dev.graft.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.graft.error.FormatException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class RowReaderTest {

  @TempDir Path folder;

  @Test
  void saysOfACutLineOnlyThatItIsCut() {
    assertThatThrownBy(() -> read(Task.CAUSAL_LM, "{\"input_ids\":[1"))
        .isInstanceOf(FormatException.class)
        .hasMessage(
            "f line 1: is not JSON: Unexpected end-of-input: expected close marker for Array");
  }

  private static Row read(Task task, String json) {
    return new RowReader(task).read("f line 1", 1, json);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = ';',
      value = {
        "nonsense; is not JSON",
        "[1]; is not a JSON object",
        "{\"input_ids\":[1]} x; is not JSON",
        "{\"input_ids\":[1],\"input_ids\":[2],\"labels\":[1]}; is not JSON",
        "{\"text\":\"a\"}; has no input_ids but [text]",
        "{\"input_ids\":[],\"labels\":[]}; input_ids is empty",
        "{\"input_ids\":[3,-1],\"labels\":[3,3]}; input_ids holds a negative number",
        "{\"input_ids\":[1.5],\"labels\":[1]}; input_ids[0] is no whole number: 1.5",
        "{\"input_ids\":[99999999999999999999],\"labels\":[1]}; input_ids[0] is no whole number",
        "{\"input_ids\":\"1\",\"labels\":[1]}; input_ids is no list",
        "{\"input_ids\":[1]}; has no labels",
        "{\"input_ids\":[1,2],\"labels\":[1]}; labels has 1 entries",
        "{\"input_ids\":[1],\"attention_mask\":[2],\"labels\":[1]}; something other than 0 and 1",
        "{\"input_ids\":[1],\"attention_mask\":[1,1],\"labels\":[1]}; attention_mask has 2 entries"
      })
  void refusesRowsOfTokens(String json, String reason) {
    assertThatThrownBy(() -> read(Task.CAUSAL_LM, json))
        .isInstanceOf(FormatException.class)
        .hasMessageStartingWith("f line 1: ")
        .hasMessageContaining(reason);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = ';',
      value = {
        "{\"input_ids\":[1]}; has no label",
        "{\"input_ids\":[1],\"label\":\"good\"}; neither a number nor a list",
        "{\"input_ids\":[1],\"label\":[]}; neither a number nor a list",
        "{\"input_ids\":[1],\"label\":[1,\"x\"]}; no finite number",
        "{\"input_ids\":[1],\"label\":1e60}; no finite number"
      })
  void refusesRowsWithoutLabel(String json, String reason) {
    assertThatThrownBy(() -> read(Task.SEQ_CLS, json))
        .isInstanceOf(FormatException.class)
        .hasMessageContaining(reason);
  }

  @Test
  void readsWhatIsThereAndNamesWhatIsNotUsed() {
    RowReader reader = new RowReader(Task.SEQ_CLS);
    Row row =
        reader.read(
            "f", 3, "{\"input_ids\":[7,8],\"token_type_ids\":[0,1],\"label\":2,\"id\":\"x\"}");
    assertThat(row.attentionMask()).containsExactly(1, 1);
    assertThat(row.tokenTypeIds().orElseThrow()).containsExactly(0, 1);
    assertThat(row.label()).isEqualTo(new RowLabel.Category(2));
    assertThat(reader.ignored()).containsExactly("id");
    assertThat(read(Task.SEQ_CLS, "{\"input_ids\":[7],\"label\":[0,1.5]}").label())
        .isInstanceOfSatisfying(
            RowLabel.Values.class, v -> assertThat(v.values()).containsExactly(0, 1.5f));
  }

  @Test
  void refusesFilesThatHoldNoRows() throws IOException {
    Path file = folder.resolve("rows.jsonl");
    assertThatThrownBy(() -> Dataset.read(file, Task.SEQ_CLS))
        .isInstanceOf(FormatException.class)
        .hasMessageContaining("there is no such file");
    Files.writeString(file, "\n  \n");
    assertThatThrownBy(() -> Dataset.read(file, Task.SEQ_CLS))
        .isInstanceOf(FormatException.class)
        .hasMessageContaining("holds no rows");
    Files.write(
        file,
        "{\"input_ids\":[1],\"label\":1,\"t\":\"\u00e4\"}".getBytes(StandardCharsets.ISO_8859_1));
    assertThatThrownBy(() -> Dataset.read(file, Task.SEQ_CLS))
        .isInstanceOf(FormatException.class)
        .hasMessageContaining("is not UTF-8");
    Files.writeString(file, "{\"input_ids\":[1],\"label\":1}\n\n{\"input_ids\":[1]}\n");
    assertThatThrownBy(() -> Dataset.read(file, Task.SEQ_CLS))
        .isInstanceOf(FormatException.class)
        .hasMessageContaining("line 3: has no label");
  }
}
