package dev.graft.fold;

import static org.assertj.core.api.Assertions.assertThat;

import dev.graft.fold.CarriedFiles.Carried;
import dev.graft.io.Progress;
import dev.graft.tensor.DType;
import dev.graft.testing.Adapters;
import dev.graft.testing.Graphs;
import dev.graft.testing.Node;
import dev.graft.testing.Values;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a merge with another number of labels or tokens writes beside the model. */
class CarriedFilesTest {

  private static final String CONFIG =
      "{\"id2label\": {\"0\": \"no\", \"1\": \"yes\"}, \"label2id\": {}, \"vocab_size\": 7}";

  @TempDir Path folder;
  private Path base = Path.of("");

  /** A head of two labels and a table of seven rows. */
  @BeforeEach
  void writeTheBase() throws IOException {
    base =
        Graphs.create()
            .input("x", 3, 4)
            .input(DType.INT64, "ids", 2)
            .output("y", 3, 2)
            .output("e", 2, 4)
            .weight("head.weight", Values.random(1, 2, 4))
            .weight("embed_tokens.weight", Values.random(2, 7, 4))
            .node(Node.of("Gemm", "x", "head.weight").to("y").with("transB", 1))
            .node(Node.of("Gather", "embed_tokens.weight", "ids").to("e"))
            .write(folder.resolve("base"));
    Files.writeString(base.resolveSibling("config.json"), CONFIG);
    Files.writeString(
        base.resolveSibling("genai_config.json"),
        "{\"model\": {\"vocab_size\": 7, \"decoder\": {\"filename\": \"base.onnx\"}}}");
  }

  private static Adapters head() {
    return Adapters.create().saved("head.weight", Values.random(3, 5, 4));
  }

  private static Adapters table() {
    return Adapters.create().saved("embed_tokens.weight", Values.random(4, 9, 4));
  }

  private Carried carried(Adapters adapter, Path output) throws IOException {
    Files.createDirectories(output.resolveSibling(""));
    MergeRequest request = MergeRequest.of(base, adapter.write(folder.resolve("adapter")), output);
    return new Merge(MergePlan.of(request), "graft test", Progress.NONE).run(1).carried();
  }

  private static String config(Path output) throws IOException {
    return Files.readString(output.resolveSibling("config.json")).replaceAll("\\s", "");
  }

  @Test
  void saysWhatAConfigurationBesideTheBaseDoesNotSay() throws IOException {
    Carried carried = carried(head(), base.resolveSibling("merged.onnx"));

    assertThat(carried.files()).isEmpty();
    assertThat(carried.notes())
        .containsExactly(
            "config.json is there already and was not changed; the merged model has 5 labels, the base had 2");
    assertThat(base.resolveSibling("config.json")).hasContent(CONFIG);
  }

  @Test
  void neverWritesOverAConfigurationThatIsThere() throws IOException {
    Path output = folder.resolve("out/merged.onnx");
    Files.createDirectories(output.resolveSibling(""));
    Files.writeString(output.resolveSibling("config.json"), "{}");

    assertThat(carried(head(), output).notes()).hasSize(1);
    assertThat(output.resolveSibling("config.json")).hasContent("{}");
  }

  @Test
  void namesTheLabelsOfANewHead() throws IOException {
    Path output = folder.resolve("out/merged.onnx");
    Carried carried = carried(head(), output);

    assertThat(carried.files()).containsExactly("config.json", "genai_config.json");
    assertThat(carried.notes()).isEmpty();
    assertThat(config(output)).contains("\"4\":\"LABEL_4\"", "\"vocab_size\":7");
  }

  @Test
  void countsTheRowsOfAGrownTable() throws IOException {
    Path output = folder.resolve("out/merged.onnx");
    carried(table(), output);

    assertThat(config(output)).contains("\"1\":\"yes\"", "\"vocab_size\":9");
    assertThat(Files.readString(output.resolveSibling("genai_config.json")))
        .contains("\"vocab_size\" : 9", "\"merged.onnx\"");
  }

  /** Of a model that writes text the head is over the tokens, whatever it is called. */
  @Test
  void takesAHeadOfALanguageModelForOneOverTokens() throws IOException {
    Path output = folder.resolve("out/merged.onnx");
    Files.writeString(
        base.resolveSibling("config.json"),
        CONFIG.replace("\"vocab_size\": 7", "\"vocab_size\": 2"));
    carried(head().config("task_type", "\"CAUSAL_LM\""), output);

    assertThat(config(output)).contains("\"1\":\"yes\"", "\"vocab_size\":5");
  }

  @Test
  void carriesEverythingAsItIsWhereNoSizeChanges() throws IOException {
    Path output = folder.resolve("out/merged.onnx");
    Carried carried =
        carried(Adapters.create().saved("head.weight", Values.random(3, 2, 4)), output);

    assertThat(carried.notes()).isEmpty();
    assertThat(output.resolveSibling("config.json")).hasContent(CONFIG);
  }
}
