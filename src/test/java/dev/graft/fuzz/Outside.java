package dev.graft.fuzz;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;

/**
 * Files that no input may lead to, and a folder beside them that readers get. What is outside must
 * stay as it is, down to the times of last access where the file system keeps them.
 */
final class Outside {

  /** Stands in every file outside. */
  static final String SECRET = "never to be read or written";

  private static final FileTime LONG_AGO = FileTime.fromMillis(1_000_000_000_000L);

  private final Path root;
  private final Path inside;
  private final Map<String, String> before;

  private Outside(Path root) throws IOException {
    this.root = root;
    this.inside = Files.createDirectories(root.resolve("inside"));
    secret("secret.bin");
    secret("outer/secret.bin");
    secret("outer/sub/w.bin");
    this.before = state();
  }

  static Outside in(Path root) throws IOException {
    return new Outside(root);
  }

  /** The folder for a reader. */
  Path inside() {
    return inside;
  }

  /** Fails if anything outside is not as it was. */
  void check() throws IOException {
    Map<String, String> now = state();
    if (!now.equals(before)) {
      throw new AssertionError("files outside were touched: " + before + " became " + now);
    }
  }

  private void secret(String name) throws IOException {
    Path file = root.resolve(name);
    Files.createDirectories(file.getParent());
    Files.write(file, SECRET.repeat(40).getBytes(StandardCharsets.UTF_8));
    Files.setLastModifiedTime(file, LONG_AGO);
    Files.setAttribute(file, "lastAccessTime", LONG_AGO);
  }

  private Map<String, String> state() throws IOException {
    Map<String, String> state = new TreeMap<>();
    try (Stream<Path> files = Files.walk(root)) {
      for (Path file : files.filter(f -> !f.startsWith(inside)).toList()) {
        state.put(root.relativize(file) + "", state(file));
      }
    }
    return state;
  }

  private static String state(Path file) throws IOException {
    return Files.isDirectory(file, LinkOption.NOFOLLOW_LINKS)
        ? "folder"
        : Files.readAttributes(
                file, "size,lastModifiedTime,lastAccessTime", LinkOption.NOFOLLOW_LINKS)
            .toString();
  }
}
