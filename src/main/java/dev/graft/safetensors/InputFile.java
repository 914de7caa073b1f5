package dev.graft.safetensors;

import dev.graft.error.FormatException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/** Opens files for reading and turns what can go wrong into errors that name the path. */
final class InputFile {

  private InputFile() {}

  /** Opens a regular file (or a link to one); a pipe or device would block or never end. */
  static FileChannel open(Path path) throws IOException {
    if (Files.isDirectory(path)) {
      throw new FormatException(path + ": is a directory where a file is expected");
    }
    if (Files.exists(path) && !Files.isRegularFile(path)) {
      throw new FormatException(path + ": is not a regular file");
    }
    return FileChannel.open(path, StandardOpenOption.READ);
  }

  /** The error for an input that could not be opened or read. */
  static FormatException unreadable(Path path, IOException cause) {
    String reason =
        switch (cause) {
          case NoSuchFileException e -> "no such file";
          case AccessDeniedException e -> "no permission to read it";
          default -> "cannot be read: " + cause.getMessage();
        };
    return new FormatException(path + ": " + reason, cause);
  }

  /** Fills the buffer from a position in the file. */
  static void readFully(FileChannel channel, Path path, ByteBuffer into, long position)
      throws IOException {
    long at = position;
    while (into.hasRemaining()) {
      int read = channel.read(into, at);
      if (read < 0) {
        throw new FormatException(
            path
                + ": ends at byte "
                + at
                + ", but "
                + into.remaining()
                + " more bytes are needed there; the file shrank since it was opened");
      }
      at += read;
    }
  }
}
