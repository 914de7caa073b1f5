package dev.graft.cli;

import dev.graft.error.FormatException;
import dev.graft.io.InputFile;
import dev.graft.io.Progress;
import dev.graft.io.Sha256;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/**
 * A file in a report.
 *
 * @param path as it was given
 * @param bytes its length
 * @param sha256 its content's, where that was asked for
 */
record FileEntry(String path, long bytes, Optional<String> sha256) {

  /** A file without its hash. */
  static FileEntry of(Path path) {
    try {
      return new FileEntry(path.toString(), Files.size(path), Optional.empty());
    } catch (IOException e) {
      throw new FormatException(path + ": can no longer be read: " + e, e);
    }
  }

  /** Reads the whole file for its hash. */
  static FileEntry hashed(Path path, Progress progress) {
    try (InputFile file = InputFile.open(path)) {
      String hash = Sha256.of(file, progress);
      return new FileEntry(path.toString(), file.size(), Optional.of(hash));
    }
  }
}
