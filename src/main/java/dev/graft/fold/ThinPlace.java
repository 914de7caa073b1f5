package dev.graft.fold;

import dev.graft.error.FormatException;
import dev.graft.error.UsageException;
import dev.graft.io.ExternalLocation;
import dev.graft.onnx.OnnxModel;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/** What a thin model calls the files of its base, seen from the folder that it lies in. */
final class ThinPlace {

  private final OnnxModel base;
  private final Path output;
  private final Path folder;

  private ThinPlace(OnnxModel base, Path output, Path folder) {
    this.base = base;
    this.output = output;
    this.folder = folder;
  }

  /**
   * Sees whether a thin model can lie there.
   *
   * @param base the base
   * @param output where the thin model is to appear
   * @throws UsageException if the base does not lie in that folder or below
   * @throws FormatException if a file of the base is a link or has several names
   */
  static ThinPlace of(OnnxModel base, Path output) {
    Path above = folderOf(output);
    if (!Files.isDirectory(above)) {
      throw elsewhere(base, output);
    }
    try {
      ThinPlace place = new ThinPlace(base, output, above.toRealPath());
      place.location(base.path());
      base.dataFiles().values().forEach(place::location);
      return place;
    } catch (IOException e) {
      throw new FormatException(above + ": cannot be examined: " + e.getMessage(), e);
    }
  }

  /** The location of one of the base's files. */
  String location(Path file) {
    Path real;
    try {
      real = folderOf(file).toRealPath().resolve(file.getFileName());
    } catch (IOException e) {
      throw new FormatException(file + ": cannot be examined: " + e.getMessage(), e);
    }
    if (!real.startsWith(folder)) {
      throw elsewhere(base, output);
    }
    Path relative = folder.relativize(real);
    String location = relative.toString().replace(relative.getFileSystem().getSeparator(), "/");
    ExternalLocation.resolve(folder, location, output + ": the base of a thin model");
    return location;
  }

  private static Path folderOf(Path file) {
    return Optional.ofNullable(file.toAbsolutePath().normalize().getParent()).orElse(file);
  }

  private static UsageException elsewhere(OnnxModel base, Path output) {
    return new UsageException(
        "%s: a thin model has to lie in the folder of its base %s or in one above it, because runtimes refuse to read data outside a model's own folder; put it there, or merge without --share-base"
            .formatted(output, base.path()));
  }
}
