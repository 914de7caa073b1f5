package dev.graft.io;

import java.io.IOException;
import java.nio.channels.ClosedByInterruptException;
import java.nio.file.AccessDeniedException;
import java.nio.file.DirectoryNotEmptyException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.util.Locale;
import java.util.Objects;
import java.util.stream.Stream;

/**
 * Words for what the operating system refused; the JDK gives them as a type, a reason or a bare
 * message.
 */
final class Refusal {

  private Refusal() {}

  /** The reason alone, without a path, to stand inside a longer message. */
  static String reason(IOException refused) {
    return switch (refused) {
      case NoSuchFileException _ -> "no such file or folder";
      case AccessDeniedException _ -> "permission denied";
      case NotDirectoryException _ -> "not a folder";
      case FileAlreadyExistsException _ -> "a file of that name exists";
      case DirectoryNotEmptyException _ -> "a folder of that name exists";
      case ClosedByInterruptException _ -> "interrupted";
      case FileSystemException e when e.getReason() != null ->
          Objects.requireNonNull(e.getReason());
      default ->
          Objects.requireNonNullElse(refused.getMessage(), refused.getClass().getSimpleName());
    };
  }

  /**
   * Whether a disk, a quota or a file-size limit is full. Knows the words of Linux, macOS and
   * Windows.
   */
  static boolean isNoSpace(IOException refused) {
    String words = reason(refused).toLowerCase(Locale.ROOT);
    return Stream.of("no space left", "quota exceeded", "not enough space", "file too large")
        .anyMatch(words::contains);
  }
}
