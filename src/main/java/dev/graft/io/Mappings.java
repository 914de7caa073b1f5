package dev.graft.io;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/** Which other processes have a file mapped into their memory, where the system tells. */
public final class Mappings {

  private static final Path PROCESSES = Path.of("/proc");

  private Mappings() {}

  /** A file as the kernel lists it. */
  private record Listed(String inode, String name) {

    /** Whether a line of {@code /proc/PID/maps} is about it. */
    boolean isIn(String line) {
      String[] fields = line.split(" +", 6);
      return fields.length == 6 && fields[4].equals(inode) && fields[5].contains(name);
    }
  }

  /**
   * The processes that have a file mapped.
   *
   * @param file an existing file
   * @return their numbers, as far as this process may look at them; nothing where there is no
   *     {@code /proc}
   */
  public static List<Long> of(Path file) {
    List<Long> found = new ArrayList<>();
    try {
      String name = String.valueOf(file.toRealPath().getFileName());
      // Names outside ASCII are listed as bytes; the part that is the same everywhere will do.
      String plain = name.chars().allMatch(c -> c > ' ' && c < 127) ? name : "";
      Listed listed = new Listed(String.valueOf(Files.getAttribute(file, "unix:ino")), plain);
      try (DirectoryStream<Path> processes = Files.newDirectoryStream(PROCESSES, "[0-9]*")) {
        for (Path process : processes) {
          long number = Long.parseLong(String.valueOf(process.getFileName()));
          if (number != ProcessHandle.current().pid() && maps(process, listed)) {
            found.add(number);
          }
        }
      }
    } catch (IOException | UnsupportedOperationException | IllegalArgumentException e) {
      return found; // no such system, or no such attribute
    }
    return found;
  }

  private static boolean maps(Path process, Listed listed) {
    try (Stream<String> lines = Files.lines(process.resolve("maps"), StandardCharsets.ISO_8859_1)) {
      return lines.anyMatch(listed::isIn);
    } catch (IOException | UncheckedIOException e) {
      return false; // it has ended, or belongs to somebody else
    }
  }
}
