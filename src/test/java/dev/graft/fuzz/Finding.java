package dev.graft.fuzz;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;

/**
 * An input that does what none may do.
 *
 * @param target what it was given to
 * @param seed of the campaign that made it
 * @param input its bytes
 * @param what it did
 * @param thrown what came out, null for a hang or too large an allocation
 */
record Finding(
    String target,
    long seed,
    byte[] input,
    String what,
    @org.jspecify.annotations.Nullable Throwable thrown) {

  private static final Path FOLDER = Path.of("target", "fuzz");

  /** Saves the input and makes the error that names it. */
  AssertionError save() {
    try {
      Path folder = Files.createDirectories(FOLDER.resolve(target));
      Path file = Files.write(folder.resolve("%08x".formatted(Arrays.hashCode(input))), input);
      return new AssertionError(
          "%s, seed %d: %s; the input (%d bytes) is in %s: add it to testdata/fuzz/%s"
              .formatted(target, seed, what, input.length, file, target),
          thrown);
    } catch (IOException e) {
      return new AssertionError(target + ", seed " + seed + ": " + what + "; not saved: " + e, e);
    }
  }
}
