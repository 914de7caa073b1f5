package dev.graft.cli;

import dev.graft.error.RuntimeFailure;
import dev.graft.io.Progress;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/** Reads several files for their SHA-256 at once. */
final class FileHashes {

  private final int threads;
  private final Progress progress;

  FileHashes(int threads, Progress progress) {
    this.threads = threads;
    this.progress = progress;
  }

  /** An entry for each file, in their order. */
  List<FileEntry> of(Collection<Path> files) {
    try (ExecutorService pool =
        Executors.newFixedThreadPool(threads, Thread.ofPlatform().daemon().factory())) {
      List<Future<FileEntry>> running = new ArrayList<>();
      for (Path file : files) {
        running.add(pool.submit(() -> FileEntry.hashed(file, progress)));
      }
      List<FileEntry> entries = new ArrayList<>();
      for (Future<FileEntry> entry : running) {
        entries.add(entry.get());
      }
      return entries;
    } catch (ExecutionException e) {
      if (e.getCause() instanceof RuntimeException known) {
        throw known;
      }
      throw new RuntimeFailure("a file could not be hashed: " + e.getCause(), e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new RuntimeFailure("interrupted while files were hashed", e);
    }
  }
}
