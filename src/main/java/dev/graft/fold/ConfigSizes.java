package dev.graft.fold;

import dev.graft.error.FormatException;
import dev.graft.fold.NewSize.Kind;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.LongStream;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

/**
 * Writes new numbers of labels and tokens into the configurations that go along with a model:
 * {@code id2label}, {@code label2id}, {@code num_labels} and {@code vocab_size}.
 */
final class ConfigSizes {

  private static final String CONFIG = "config.json";
  private static final String GENAI_CONFIG = "genai_config.json";
  private static final String ID_TO_LABEL = "id2label";
  private static final String NUM_LABELS = "num_labels";
  private static final String VOCAB_SIZE = "vocab_size";

  /** What transformers takes for granted where a configuration names no labels. */
  private static final int DEFAULT_LABELS = 2;

  /** Larger than any configuration, smaller than what would hurt to read. */
  private static final long MAX_BYTES = 16L << 20;

  private final List<NewSize> sizes;
  private final Path adapter;

  /**
   * Prepares to write.
   *
   * @param sizes what is new
   * @param adapter the adapter's folder, whose own configuration may name the labels
   */
  ConfigSizes(List<NewSize> sizes, Path adapter) {
    this.sizes = List.copyOf(sizes);
    this.adapter = adapter;
  }

  /**
   * A carried file with the new numbers in it.
   *
   * @param file where it comes from
   * @param content what is in it
   * @param notes takes what the user has to see to
   */
  byte[] in(Path file, byte[] content, List<String> notes) {
    if (sizes.isEmpty() || !(file.endsWith(CONFIG) || file.endsWith(GENAI_CONFIG))) {
      return content;
    }
    if (!(parsed(file, content) instanceof ObjectNode config)) {
      throw new FormatException(file + ": is not a JSON object");
    }
    for (NewSize size : sizes) {
      switch (size.kind()) {
        case TOKENS -> setTokens(file, config, size, notes);
        case LABELS -> setLabels(file, config, size, notes);
      }
    }
    return JsonBinding.MAPPER.writerWithDefaultPrettyPrinter().writeValueAsBytes(config);
  }

  /** What to say of a configuration that stays as it is. */
  List<String> leftAlone(Path file) {
    if (!file.endsWith(CONFIG) && !file.endsWith(GENAI_CONFIG)) {
      return List.of();
    }
    return sizes.stream()
        .filter(size -> size.kind() == Kind.TOKENS || file.endsWith(CONFIG))
        .map(size ->
            "%s is there already and was not changed; the merged model has %d %s, the base had %d"
                .formatted(file.getFileName(), size.to(), what(size), size.from()))
        .toList();
  }

  private static String what(NewSize size) {
    return size.kind() == Kind.TOKENS ? "rows of tokens" : "labels";
  }

  private static void setTokens(Path file, ObjectNode config, NewSize size, List<String> notes) {
    boolean isGenai = file.endsWith(GENAI_CONFIG);
    JsonNode holder = isGenai ? config.path("model") : config;
    if (!(holder instanceof ObjectNode object) || !object.has(VOCAB_SIZE)) {
      return;
    }
    if (object.path(VOCAB_SIZE).asLong(-1) == size.from()) {
      object.put(VOCAB_SIZE, size.to());
    } else if (object.path(VOCAB_SIZE).asLong(-1) != size.to()) {
      notes.add(
          "%s: vocab_size is %s, not the base's %d; it was left as it is"
              .formatted(file.getFileName(), object.path(VOCAB_SIZE), size.from()));
    }
  }

  private void setLabels(Path file, ObjectNode config, NewSize size, List<String> notes) {
    if (file.endsWith(GENAI_CONFIG)) {
      return;
    }
    long stated =
        config.path(ID_TO_LABEL) instanceof ObjectNode labels
            ? labels.size()
            : config.path(NUM_LABELS).asLong(DEFAULT_LABELS);
    if (stated != size.from()) {
      notes.add(
          "%s names %d labels, not the base's %d; it was left as it is"
              .formatted(file.getFileName(), stated, size.from()));
      return;
    }
    List<String> names = labels(size);
    ObjectNode idToLabel = config.putObject(ID_TO_LABEL);
    ObjectNode labelToId = config.putObject("label2id");
    for (int i = 0; i < names.size(); i++) {
      idToLabel.put(Integer.toString(i), names.get(i));
      labelToId.put(names.get(i), i);
    }
    if (config.has(NUM_LABELS)) {
      config.put(NUM_LABELS, size.to());
    }
  }

  /** The names in the adapter's own configuration, if it names as many, else made-up ones. */
  private List<String> labels(NewSize size) {
    List<String> names = new ArrayList<>();
    JsonNode own =
        adapterConfig().map(c -> c.path(ID_TO_LABEL)).orElseGet(JsonBinding.MAPPER::nullNode);
    for (int i = 0; i < size.to(); i++) {
      String given = own.path(Integer.toString(i)).asString("");
      names.add(given.isEmpty() || own.size() != size.to() ? "LABEL_" + i : given);
    }
    return names.stream().distinct().count() == size.to()
        ? names
        : LongStream.range(0, size.to()).mapToObj(i -> "LABEL_" + i).toList();
  }

  private Optional<JsonNode> adapterConfig() {
    Path file = adapter.resolve(CONFIG);
    try {
      if (!Files.isRegularFile(file, LinkOption.NOFOLLOW_LINKS) || Files.size(file) > MAX_BYTES) {
        return Optional.empty();
      }
      return Optional.of(parsed(file, Files.readAllBytes(file)));
    } catch (IOException e) {
      throw new FormatException(file + ": cannot be read: " + e.getMessage(), e);
    }
  }

  private static JsonNode parsed(Path file, byte[] content) {
    try {
      return JsonBinding.MAPPER.readTree(content);
    } catch (JacksonException e) {
      throw new FormatException(file + ": is not JSON: " + e.getOriginalMessage(), e);
    }
  }
}
