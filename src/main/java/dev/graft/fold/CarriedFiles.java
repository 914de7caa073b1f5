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
import tools.jackson.databind.node.ObjectNode;

/**
 * Files beside the base that a runtime needs as well: config, tokenizer, GenAI settings. They go
 * along when the output is in another folder and never replace one that is there.
 */
public final class CarriedFiles {

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

  private final Path model;
  private final ConfigSizes sizes;

  /**
   * Prepares to carry files along.
   *
   * @param model the base, beside which they lie
   * @param sizes the numbers that are others in the output
   */
  CarriedFiles(Path model, ConfigSizes sizes) {
    this.model = model;
    this.sizes = sizes;
  }

  /**
   * What went along.
   *
   * @param files names of the files
   * @param notes what the user has to see to
   */
  public record Carried(List<String> files, List<String> notes) {

    /** Keeps own copies. */
    public Carried {
      files = List.copyOf(files);
      notes = List.copyOf(notes);
    }
  }

  /**
   * Adds the files to an output.
   *
   * @param main the output's model file
   * @param output the output being made
   */
  Carried add(Path main, AtomicOutput output) {
    Path from = Optional.ofNullable(model.toAbsolutePath().getParent()).orElse(model);
    Path to = main.resolveSibling("");
    List<String> carried = new ArrayList<>();
    List<String> notes = new ArrayList<>();
    boolean same = isSame(from, to);
    for (String name : NAMES) {
      Path file = from.resolve(name);
      if (!Files.isRegularFile(file, LinkOption.NOFOLLOW_LINKS)) {
        continue;
      }
      if (!same && output.isFree(to.resolve(name))) {
        byte[] content = content(file, main, notes);
        output.addFile(to.resolve(name)).write(MemorySegment.ofArray(content), 0);
        carried.add(name);
      } else if (Files.exists(to.resolve(name), LinkOption.NOFOLLOW_LINKS)) {
        notes.addAll(sizes.leftAlone(to.resolve(name)));
      }
    }
    return new Carried(carried, notes);
  }

  private byte[] content(Path file, Path main, List<String> notes) {
    try {
      if (Files.size(file) > MAX_BYTES) {
        throw new FormatException(
            file + ": has " + Files.size(file) + " bytes, far too many for a file of this name");
      }
      byte[] bytes = sizes.in(file, Files.readAllBytes(file), notes);
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
      JsonNode config = JsonBinding.MAPPER.readTree(bytes);
      if (config.path("model").path("decoder") instanceof ObjectNode decoder
          && decoder.has("filename")) {
        decoder.put("filename", name);
      }
      return JsonBinding.MAPPER.writerWithDefaultPrettyPrinter().writeValueAsBytes(config);
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
