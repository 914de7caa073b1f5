package dev.graft.io;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;

/** Files that Java itself cannot make, and what the tests of this package ask about files. */
final class TestFiles {

  private TestFiles() {}

  static byte[] noise(int length, long seed) {
    byte[] bytes = new byte[length];
    new Random(seed).nextBytes(bytes);
    return bytes;
  }

  static byte[] part(byte[] bytes, int offset, int length) {
    return Arrays.copyOfRange(bytes, offset, offset + length);
  }

  static Path pipe(Path path) throws IOException, InterruptedException {
    Assumptions.assumeFalse(isWindows(), "no named pipes in folders");
    assertThat(run(List.of("mkfifo", path.toString()))).isEmpty();
    return path;
  }

  static boolean isWindows() {
    return System.getProperty("os.name").startsWith("Windows");
  }

  static boolean isLinux() {
    return System.getProperty("os.name").equals("Linux");
  }

  /** Bytes that a file takes on the disk, as {@code du} counts. */
  static long allocated(Path file) throws IOException, InterruptedException {
    return 512 * Long.parseLong(run(List.of("stat", "-c", "%b", file.toString())).strip());
  }

  /** Runs a command to its end and returns what it printed, errors included. */
  static String run(List<String> command) throws IOException, InterruptedException {
    Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
    process.getOutputStream().close();
    String printed = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    process.waitFor();
    return printed;
  }

  /** A command line that runs a class of the tests in a JVM of its own. */
  static List<String> java(Class<?> main, String... arguments) {
    return Stream.concat(
            Stream.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xshare:auto",
                "-Xmx64m",
                "--enable-native-access=ALL-UNNAMED",
                "-cp",
                System.getProperty("java.class.path"),
                main.getName()),
            Stream.of(arguments))
        .toList();
  }

  static List<String> names(Path folder) throws IOException {
    try (Stream<Path> files = Files.list(folder)) {
      return files.map(f -> f.getFileName().toString()).sorted().toList();
    }
  }
}
