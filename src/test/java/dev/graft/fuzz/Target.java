package dev.graft.fuzz;

import java.io.IOException;
import java.nio.file.Path;

/**
 * Something to be tried with hostile inputs.
 *
 * @param name also the folder of its seeds in {@code testdata/fuzz}
 * @param mutator makes its inputs
 * @param opening makes a reader of them
 */
record Target(String name, Mutator mutator, Opening opening) {

  /** Makes readers. */
  interface Opening {
    /**
     * Makes a reader.
     *
     * @param folder an empty folder of its own; nothing outside it may change
     */
    Reader open(Path folder) throws IOException;
  }
}
