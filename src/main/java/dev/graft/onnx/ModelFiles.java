package dev.graft.onnx;

import dev.graft.error.FormatException;
import dev.graft.io.ExternalLocation;
import dev.graft.io.InputFile;
import dev.graft.io.OpenFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/**
 * Where a model's files are read from: the disk, or something that knows what they would hold.
 * Paths stand for the files in messages and tell them apart.
 */
public interface ModelFiles {

  /** The path of the model file. */
  Path path();

  /**
   * Opens the model file.
   *
   * @throws FormatException if it is missing or cannot be read
   */
  OpenFile open();

  /**
   * Finds the data file that a location means.
   *
   * @param location what a tensor of the model says
   * @param context begins messages, such as {@code model.onnx: tensor 'w'}
   * @throws FormatException if the location breaks a rule or the file is missing
   */
  DataFile find(String location, String context);

  /**
   * Opens the data file that a location means, under the same checks as {@link #find}.
   *
   * @throws FormatException also if it is gone or was exchanged for a link
   */
  OpenFile open(String location);

  /**
   * A data file.
   *
   * @param path the canonical path
   * @param length in bytes
   */
  record DataFile(Path path, long length) {}

  /** The files on the disk of a model at a path. */
  static ModelFiles at(Path path) {
    return new OnDisk(path);
  }

  /**
   * A model file with its data files in its folder or below.
   *
   * @param path of the model file
   */
  record OnDisk(Path path) implements ModelFiles {

    @Override
    public OpenFile open() {
      return InputFile.open(path);
    }

    @Override
    public DataFile find(String location, String context) {
      Path file = ExternalLocation.resolve(folder(), location, context);
      try {
        return new DataFile(file, Files.size(file));
      } catch (IOException e) {
        throw new FormatException(file + ": cannot be read: " + e.getMessage(), e);
      }
    }

    @Override
    public OpenFile open(String location) {
      return ExternalLocation.open(folder(), location, path.toString());
    }

    private Path folder() {
      return Optional.ofNullable(path.toAbsolutePath().getParent()).orElse(path.toAbsolutePath());
    }
  }
}
