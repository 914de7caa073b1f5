package dev.graft.fold;

import dev.graft.error.GraftException;
import dev.graft.error.RuntimeFailure;
import dev.graft.onnx.ModelFiles;
import dev.graft.onnx.OnnxModel;
import dev.graft.onnx.ThinRecord;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.FileVisitOption;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;

/** The thin models that would break if a file under them were written. */
public final class ThinModels {

  /** Deeper than models lie, shallow enough to be looked through. */
  private static final int DEPTH = 8;

  private ThinModels() {}

  /**
   * The thin models whose record names one of a model's files as their base's. Searched are the
   * files {@code *.onnx} in the model's folder and below, and those that lie directly in a folder
   * above it, where thin models can lie as well. What cannot be read is passed over.
   *
   * @param base a model file
   * @return canonical paths, sorted
   */
  public static List<Path> on(Path base) {
    Set<Path> files = new TreeSet<>();
    real(base).ifPresent(files::add);
    try {
      OnnxModel.open(ModelFiles.at(base)).dataFiles().values().forEach(files::add);
    } catch (GraftException e) {
      // Then the model file alone is what others can name.
    }
    Path start = base.toAbsolutePath().normalize();
    Set<Path> found = new TreeSet<>();
    for (Path file : candidates(real(start).orElse(start))) {
      real(file).filter(f -> !files.contains(f) && names(f, files)).ifPresent(found::add);
    }
    return List.copyOf(found);
  }

  /**
   * Refuses a thin model whose base was replaced, before something reads it that does not look.
   *
   * @param model any model; nothing is checked of one that is no thin one beside its form
   * @throws dev.graft.error.FormatException if the file is no intact model, or not on its base
   */
  public static void requireIntact(Path model) {
    OnnxModel.open(model);
  }

  private static List<Path> candidates(Path model) {
    List<Path> candidates = new ArrayList<>();
    Path folder = model.getParent();
    if (folder == null) {
      return candidates;
    }
    below(folder, candidates);
    for (Path above = folder.getParent(); above != null; above = above.getParent()) {
      try (Stream<Path> entries = Files.list(above)) {
        entries.filter(ThinModels::isModel).forEach(candidates::add);
      } catch (IOException | UncheckedIOException e) {
        // A folder that may not be listed; Graft could not have written a model there either.
      }
    }
    return candidates;
  }

  private static void below(Path folder, List<Path> candidates) {
    SimpleFileVisitor<Path> visitor =
        new SimpleFileVisitor<>() {
          @Override
          public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) {
            if (isModel(file)) {
              candidates.add(file);
            }
            return FileVisitResult.CONTINUE;
          }

          @Override
          public FileVisitResult visitFileFailed(Path file, IOException e) {
            return FileVisitResult.CONTINUE;
          }
        };
    try {
      Files.walkFileTree(folder, EnumSet.noneOf(FileVisitOption.class), DEPTH, visitor);
    } catch (IOException e) {
      throw new RuntimeFailure(
          folder + ": cannot be searched for thin models: " + e.getMessage(), e);
    }
  }

  private static boolean isModel(Path file) {
    return file.toString().endsWith(".onnx") && Files.isRegularFile(file);
  }

  private static boolean names(Path candidate, Set<Path> files) {
    try {
      // Without the check of its base, which may be the very thing that is wrong.
      Optional<ThinRecord> record = ThinRecord.of(OnnxModel.open(ModelFiles.at(candidate)));
      return record.stream()
          .flatMap(r ->
              Stream.concat(
                  Stream.of(r.base().location()), r.base().files().stream().map(f -> f.location())))
          .flatMap(location -> real(candidate.resolveSibling(location)).stream())
          .anyMatch(files::contains);
    } catch (GraftException e) {
      return false;
    }
  }

  private static Optional<Path> real(Path file) {
    try {
      return Optional.of(file.toRealPath());
    } catch (IOException e) {
      return Optional.empty();
    }
  }
}
