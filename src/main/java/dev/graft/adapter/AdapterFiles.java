package dev.graft.adapter;

import dev.graft.error.FormatException;
import dev.graft.error.UnsupportedException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;

/**
 * Where the files of an adapter lie.
 *
 * @param folder the folder that holds both
 * @param config {@code adapter_config.json}
 * @param weights the safetensors file, or the index of a sharded one
 */
record AdapterFiles(Path folder, Path config, Path weights) {

  static final String INDEX_SUFFIX = ".safetensors.index.json";
  private static final String CONFIG = "adapter_config.json";
  private static final String WEIGHTS = "adapter_model.safetensors";
  private static final String INDEX = "adapter_model" + INDEX_SUFFIX;
  private static final List<String> PICKLES =
      List.of("adapter_model.bin", "adapter_model.pt", "pytorch_model.bin");
  private static final String EXPECTED =
      "a PEFT adapter is a folder with "
          + CONFIG
          + " and "
          + WEIGHTS
          + ", or that safetensors file itself";
  private static final int MOST_CANDIDATES = 20;

  /** Finds the files from whatever the user named. */
  static AdapterFiles find(Path given) {
    if (!Files.exists(given)) {
      throw new FormatException(given + ": no such file or folder; " + EXPECTED);
    }
    return Files.isDirectory(given) ? inFolder(given) : ofFile(given);
  }

  boolean isSharded() {
    return weights.toString().endsWith(INDEX_SUFFIX);
  }

  private static AdapterFiles ofFile(Path file) {
    String name = file.getFileName().toString();
    if (name.endsWith(".safetensors") || name.endsWith(INDEX_SUFFIX)) {
      Path config = file.resolveSibling(CONFIG);
      if (!Files.exists(config)) {
        throw new FormatException(
            config + ": no such file; it must lie beside " + name + "; " + EXPECTED);
      }
      Path parent = file.toAbsolutePath().getParent();
      return new AdapterFiles(parent == null ? file.toAbsolutePath() : parent, config, file);
    }
    String lower = name.toLowerCase(Locale.ROOT);
    if (Stream.of(".bin", ".pt", ".pth", ".ckpt", ".pkl").anyMatch(lower::endsWith)) {
      throw pickle(file);
    }
    throw new FormatException(file + ": is no adapter; " + EXPECTED);
  }

  private static AdapterFiles inFolder(Path folder) {
    Path config = folder.resolve(CONFIG);
    Path weights = folder.resolve(WEIGHTS);
    Path index = folder.resolve(INDEX);
    if (!Files.exists(config)) {
      return below(folder, Files.exists(weights) || Files.exists(index));
    }
    if (Files.exists(weights) && Files.exists(index)) {
      throw new FormatException(
          folder + ": holds both " + WEIGHTS + " and " + INDEX + "; keep the one that is meant");
    }
    if (Files.exists(weights) || Files.exists(index)) {
      return new AdapterFiles(folder, config, Files.exists(weights) ? weights : index);
    }
    for (String name : PICKLES) {
      if (Files.exists(folder.resolve(name))) {
        throw pickle(folder.resolve(name));
      }
    }
    throw new FormatException(
        folder + ": holds " + CONFIG + " but no " + WEIGHTS + "; " + EXPECTED);
  }

  /** PEFT saves an adapter that is not called default in a folder of its name. */
  private static AdapterFiles below(Path folder, boolean hasWeights) {
    List<Path> candidates = adaptersBelow(folder);
    if (candidates.size() == 1 && !hasWeights) {
      return inFolder(candidates.getFirst());
    }
    if (!candidates.isEmpty()) {
      throw new FormatException(
          folder
              + ": holds no "
              + CONFIG
              + " itself, but these folders in it do; name one of them:"
              + Findings.lines(candidates.stream().map(Path::toString).toList()));
    }
    throw new FormatException(
        folder
            + ": holds "
            + (hasWeights ? WEIGHTS + " but no " + CONFIG : "neither " + CONFIG + " nor " + WEIGHTS)
            + "; "
            + EXPECTED);
  }

  private static List<Path> adaptersBelow(Path folder) {
    try (Stream<Path> inside = Files.list(folder)) {
      return inside
          .filter(p -> Files.isRegularFile(p.resolve(CONFIG)))
          .sorted()
          .limit(MOST_CANDIDATES)
          .toList();
    } catch (IOException e) {
      throw new FormatException(folder + ": cannot be listed: " + e.getMessage(), e);
    }
  }

  private static UnsupportedException pickle(Path file) {
    return new UnsupportedException(
        file
            + ": is a Python pickle, which can run any code while it is loaded, so Graft never reads one. If you"
            + " trust it, convert it to safetensors in Python:\n"
            + "  PeftModel.from_pretrained(base, FOLDER).save_pretrained(OUT, safe_serialization=True)\n"
            + "or without the base model:\n"
            + "  safetensors.torch.save_file(torch.load(\""
            + file.getFileName()
            + "\", weights_only=True), \""
            + WEIGHTS
            + "\")");
  }
}
