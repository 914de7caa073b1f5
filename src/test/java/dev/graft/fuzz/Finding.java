package dev.graft.fuzz;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/** An input that does what none may do. */
final class Finding {

  private static final Path FOLDER = Path.of("target", "fuzz");

  private final String target;
  private final long seed;
  private final byte[] input;

  /**
   * Keeps what is needed to see it again.
   *
   * @param target what the input was given to
   * @param seed of the campaign that made it
   * @param input its bytes
   */
  Finding(String target, long seed, byte[] input) {
    this.target = target;
    this.seed = seed;
    this.input = input.clone();
  }

  /**
   * Saves the input and makes the error that names it.
   *
   * @param what the input did
   * @param thrown what came out, null for a hang or too large an allocation
   */
  AssertionError save(String what, @Nullable Throwable thrown) {
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
