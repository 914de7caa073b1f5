package dev.graft.fuzz;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/** The seeds of the targets: small files, those among them that once showed a fault. */
final class Corpus {

  private static final Path ROOT = Path.of("testdata", "fuzz");

  private Corpus() {}

  /** All seeds of a target, in the order of their names. */
  static List<byte[]> of(String target) throws IOException {
    List<byte[]> seeds = new ArrayList<>();
    try (Stream<Path> files = Files.list(ROOT.resolve(target))) {
      for (Path file : files.sorted().toList()) {
        seeds.add(Files.readAllBytes(file));
      }
    }
    return seeds;
  }
}
