package dev.graft.testing;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * A model, an adapter that PEFT made for it, and the outputs that PEFT gives; the folder's {@code
 * case.json} says what a test may expect.
 */
public record GoldenCase(Path folder, JsonNode facts) {

  private static final Path ALL = Path.of("testdata/cases");
  private static final JsonMapper JSON = JsonMapper.shared();
  private static final double EXACT = 1e-5;

  /** Every case that names the mode, by name. */
  public static List<GoldenCase> naming(String mode) {
    try (Stream<Path> folders = Files.list(ALL)) {
      return folders
          .filter(folder -> Files.exists(folder.resolve("case.json")))
          .sorted()
          .map(GoldenCase::read)
          .filter(found -> found.names(mode))
          .toList();
    } catch (IOException unreadable) {
      throw new UncheckedIOException(unreadable);
    }
  }

  private static GoldenCase read(Path folder) {
    return new GoldenCase(folder, JSON.readTree(folder.resolve("case.json").toFile()));
  }

  private boolean names(String mode) {
    return facts.path("modes").valueStream().anyMatch(named -> named.asString().equals(mode));
  }

  /** The folder's name. */
  public String name() {
    return folder.getFileName().toString();
  }

  /** A file of the case. */
  public Path file(String name) {
    return folder.resolve(name);
  }

  /** Whether the model lies in several files, each with questions of its own. */
  public boolean hasSeveralFiles() {
    return facts.has("questions");
  }

  /** The questions to a model in several files. */
  public List<Question> questions() {
    return facts.path("questions").valueStream().map(Question::read).toList();
  }

  /**
   * What one file of several is asked.
   *
   * @param model the model file's name
   * @param inputs the name of the file of inputs
   * @param golden the name of the file of goldens, for the model's first output
   */
  public record Question(String model, String inputs, String golden) {
    private static Question read(JsonNode facts) {
      return new Question(
          facts.path("model").asString(),
          facts.path("inputs").asString(),
          facts.path("golden").asString());
    }
  }

  /** How far an output may be from PEFT's. */
  public double tolerance() {
    return facts.path("atol").asDouble(EXACT);
  }

  /**
   * The golden tensor that a fold has to give: PEFT's merged output, for tied weights the active.
   */
  public String truth() {
    return facts.path("golden").asString("merged");
  }

  /** Whether the graph lacks a place, so that a fold has to add a node. */
  public boolean needsNewNodes() {
    return facts.path("new_nodes").asBoolean(false);
  }

  /** Whether places that share a weight part, so that nodes read another tensor than before. */
  public boolean splitsWeights() {
    return facts.path("splits").asBoolean(false);
  }

  /** Whether base and fold give outputs of the same shape. */
  public boolean keepsItsShape() {
    return !facts.path("moved").isNull();
  }

  /** Adapter folders with their golden tensors: one, or one for each sub-folder. */
  public Map<String, String> adapters() {
    Map<String, String> golden = new TreeMap<>();
    facts
        .path("adapters")
        .properties()
        .forEach(entry -> golden.put(entry.getKey(), entry.getValue().asString()));
    return golden.isEmpty() ? Map.of("adapter", truth()) : golden;
  }

  @Override
  public String toString() {
    return name();
  }
}
