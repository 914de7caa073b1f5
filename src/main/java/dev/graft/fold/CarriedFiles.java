package dev.graft.fold;

import dev.graft.error.FormatException;
import dev.graft.error.RuntimeFailure;
import dev.graft.io.AtomicOutput;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/**
 * Files beside the base that a runtime needs as well: config, tokenizer, GenAI settings. They go
 * along when the output is in another folder and never replace one that is there.
 */
final class CarriedFiles {

  private static final String GENAI_CONFIG = "genai_config.json";
  private static final long MAX_BYTES = 256L << 20;

  private static final List<String> NAMES =
      List.of(
          "config.json",
          "generation_config.json",
          "preprocessor_config.json",
          "processor_config.json",
          "sentence_bert_config.json",
          "tokenizer.json",
          "tokenizer_config.json",
          "special_tokens_map.json",
          "added_tokens.json",
          "vocab.txt",
          "vocab.json",
          "merges.txt",
          "tokenizer.model",
          "spiece.model",
          "sentencepiece.bpe.model",
          "chat_template.jinja",
          "chat_template.json",
          "ort_config.json",
          GENAI_CONFIG);

  private CarriedFiles() {}

  /** Loaded only where GenAI settings lie beside the base: it takes 25 ms. */
  private static final class Json {
    static final JsonMapper MAPPER = JsonMapper.builder().build();
  }

  /**
   * Adds the files to an output.
   *
   * @param model the base
   * @param main the output's model file
   * @param output the output being made
   * @return names of the files that go along
   */
  static List<String> add(Path model, Path main, AtomicOutput output) {
    Path from = Optional.ofNullable(model.toAbsolutePath().getParent()).orElse(model);
    Path to = main.resolveSibling("");
    List<String> carried = new ArrayList<>();
    if (isSame(from, to)) {
      return carried;
    }
    for (String name : NAMES) {
      Path file = from.resolve(name);
      if (Files.isRegularFile(file, LinkOption.NOFOLLOW_LINKS) && output.isFree(to.resolve(name))) {
        output.addFile(to.resolve(name)).write(MemorySegment.ofArray(content(file, main)), 0);
        carried.add(name);
      }
    }
    return carried;
  }

  private static byte[] content(Path file, Path main) {
    try {
      if (Files.size(file) > MAX_BYTES) {
        throw new FormatException(
            file + ": has " + Files.size(file) + " bytes, far too many for a file of this name");
      }
      byte[] bytes = Files.readAllBytes(file);
      return file.endsWith(GENAI_CONFIG)
          ? renamed(file, bytes, String.valueOf(main.getFileName()))
          : bytes;
    } catch (IOException e) {
      throw new FormatException(file + ": cannot be read: " + e.getMessage(), e);
    }
  }

  /** GenAI finds its model by the name in {@code model.decoder.filename}. */
  private static byte[] renamed(Path file, byte[] bytes, String name) {
    try {
      JsonNode config = Json.MAPPER.readTree(bytes);
      if (config.path("model").path("decoder") instanceof ObjectNode decoder
          && decoder.has("filename")) {
        decoder.put("filename", name);
      }
      return Json.MAPPER.writerWithDefaultPrettyPrinter().writeValueAsBytes(config);
    } catch (JacksonException e) {
      throw new FormatException(file + ": is not JSON: " + e.getOriginalMessage(), e);
    }
  }

  private static boolean isSame(Path a, Path b) {
    try {
      return Files.exists(b) && Files.isSameFile(a, b);
    } catch (IOException e) {
      throw new RuntimeFailure(b + ": the folder cannot be examined: " + e.getMessage(), e);
    }
  }
}
