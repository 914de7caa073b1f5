package dev.graft.verify;

import java.nio.file.Path;
import java.util.Map;

/** What the models are fed with. */
public sealed interface Inputs {

  /** Tensors of a safetensors file, named as the model's inputs are; others in it are ignored. */
  record Stored(Path file) implements Inputs {
    @Override
    public String toString() {
      return file.toString();
    }
  }

  /**
   * Made up from the model's signature, the same for the same seed.
   *
   * @param seed of the random numbers
   * @param vocabulary token ids are drawn from 1 to this less one
   * @param dims lengths of free axes by the model's names for them, before any guess from the name
   */
  record Generated(long seed, int vocabulary, Map<String, Long> dims) implements Inputs {

    private static final int SMALL_VOCABULARY = 64;

    /** Checks the bound and keeps its own copy of the lengths. */
    public Generated {
      if (vocabulary < 2) {
        throw new IllegalArgumentException(
            "a vocabulary of "
                + vocabulary
                + " leaves no token ids to draw; at least 2 are needed");
      }
      dims = Map.copyOf(dims);
    }

    /** Seed 0, ids that every vocabulary has, lengths by the names of the axes. */
    public static Generated defaults() {
      return new Generated(0, SMALL_VOCABULARY, Map.of());
    }

    @Override
    public String toString() {
      return "generated (seed %d, token ids 1 to %d)".formatted(seed, vocabulary - 1);
    }
  }
}
