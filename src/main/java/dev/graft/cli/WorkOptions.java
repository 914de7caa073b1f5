package dev.graft.cli;

import dev.graft.error.UsageException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import picocli.CommandLine.Option;

/** How a verb that folds or copies does its work, and where it writes what it did. */
final class WorkOptions {

  @Option(
      names = "--report",
      paramLabel = "FILE",
      description = "Write the JSON report there, with the SHA-256 of every file.")
  private Optional<Path> report = Optional.empty();

  @Option(
      names = "--threads",
      paramLabel = "N",
      description = "Threads that fold and copy; the output does not depend on it.")
  private int threads = MergeRun.defaultThreads();

  Optional<Path> report() {
    return report;
  }

  int threads() {
    if (threads < 1) {
      throw new UsageException("--threads is " + threads + ", expected 1 or more");
    }
    return threads;
  }

  /**
   * The reports of merges, with hashes only where somebody will read them: hashing takes longer
   * than merging.
   */
  List<MergeReport> reports(List<MergeRun> runs, Verb verb) {
    if (!isRead(verb)) {
      return runs.stream()
          .map(r -> report(r, verb, entries(r.plan().unchangedInputs()), entries(r.outputs())))
          .toList();
    }
    try (ProgressBar bar = verb.progress("hashing", bytes(runs))) {
      FileHashes hashes = new FileHashes(threads, bar);
      return runs.stream()
          .map(r -> report(r, verb, hashes.of(r.plan().unchangedInputs()), hashes.of(r.outputs())))
          .toList();
    }
  }

  /** Files that were written, of so many bytes together, likewise. */
  List<FileEntry> written(List<Path> files, Verb verb, long bytes) {
    if (!isRead(verb)) {
      return entries(files);
    }
    try (ProgressBar bar = verb.progress("hashing", bytes)) {
      return new FileHashes(threads, bar).of(files);
    }
  }

  private boolean isRead(Verb verb) {
    return report.isPresent() || verb.isJson();
  }

  private static long bytes(List<MergeRun> runs) {
    return runs.stream()
        .mapToLong(r -> r.plan().baseBytes() + r.result().map(w -> w.bytes()).orElse(0L))
        .sum();
  }

  private static MergeReport report(
      MergeRun run, Verb verb, List<FileEntry> inputs, List<FileEntry> outputs) {
    return MergeReport.of(run, verb.name(), new MergeReport.Files(inputs, outputs));
  }

  private static List<FileEntry> entries(List<Path> files) {
    return files.stream().map(FileEntry::of).toList();
  }
}
