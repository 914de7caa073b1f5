package dev.graft.io;

import dev.graft.error.RuntimeFailure;
import dev.graft.error.UsageException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collection;

/**
 * Refuses an output that is one of the inputs under any name, or that no file can be put in the
 * place of.
 */
public final class OutputGuard {

  private OutputGuard() {}

  /**
   * Checks an output before anything is written.
   *
   * @param inputs every file that will be read
   * @param output where the result is to appear
   * @throws UsageException if the output is an input by path, inode or link target, or is a folder,
   *     device or pipe, or lies below a file
   */
  public static void check(Collection<Path> inputs, Path output) {
    try {
      requireReplaceable(output);
      for (Path input : inputs) {
        if (isSame(input, output)) {
          throw new UsageException(
              output
                  + ": the output would overwrite the input "
                  + input
                  + "; choose another output path");
        }
      }
    } catch (IOException e) {
      throw new RuntimeFailure(
          output + ": the output path cannot be examined: " + Refusal.reason(e), e);
    }
  }

  private static void requireReplaceable(Path output) {
    if (Files.isDirectory(output) || output.getFileName() == null) {
      throw new UsageException(
          output
              + ": the output is a directory; name a file in it, such as "
              + output.resolve("model.onnx"));
    }
    if (Files.exists(output) && !Files.isRegularFile(output)) {
      throw new UsageException(
          output + ": the output is a device, pipe or socket; name a regular file");
    }
    Path above = output.toAbsolutePath().getParent();
    while (above != null && !Files.exists(above)) {
      above = above.getParent();
    }
    if (above != null && !Files.isDirectory(above)) {
      throw new UsageException(
          output + ": the output cannot lie below " + above + ", which is not a folder");
    }
  }

  private static boolean isSame(Path input, Path output) throws IOException {
    if (plain(input).equals(plain(output))) {
      return true;
    }
    return Files.exists(input)
        && Files.exists(output)
        && FileIdentity.of(input).isSameFile(FileIdentity.of(output));
  }

  private static Path plain(Path path) {
    return path.toAbsolutePath().normalize();
  }
}
