package dev.graft.verify;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/** What a model's outputs are held against. */
public sealed interface Reference {

  /** Another model that is run on the same inputs; outputs are paired by name. */
  record Model(Path file) implements Reference {
    @Override
    public String toString() {
      return file.toString();
    }
  }

  /**
   * Outputs stored in a safetensors file.
   *
   * @param file the file
   * @param tensor the one tensor to compare: with the output of that name, or else with the model's
   *     first output. Without it, every tensor that is named like an output is compared with it
   */
  record Stored(Path file, Optional<String> tensor) implements Reference {
    @Override
    public String toString() {
      return tensor.map(name -> file + ":" + name).orElseGet(file::toString);
    }
  }

  /** Reads {@code FILE} or {@code FILE:TENSOR}; a file that has a colon in its name wins. */
  static Stored parseStored(String text) {
    int colon = text.lastIndexOf(':');
    boolean whole = colon <= 0 || colon == text.length() - 1 || Files.exists(Path.of(text));
    return whole
        ? new Stored(Path.of(text), Optional.empty())
        : new Stored(Path.of(text.substring(0, colon)), Optional.of(text.substring(colon + 1)));
  }
}
