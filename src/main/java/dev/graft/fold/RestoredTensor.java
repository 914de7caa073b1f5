package dev.graft.fold;

import dev.graft.fold.UndoIndex.TensorEntry;
import dev.graft.io.ByteSource;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;

/** The old bytes of a changed tensor, made of the new ones when they are read. */
final class RestoredTensor implements ByteSource {

  private final Path path;
  private final TensorEntry entry;
  private final RestorerPool restorers;

  /**
   * Prepares to read.
   *
   * @param path the merged model, for messages
   * @param entry what the record says
   * @param restorers do the work
   */
  RestoredTensor(Path path, TensorEntry entry, RestorerPool restorers) {
    this.path = path;
    this.entry = entry;
    this.restorers = restorers;
  }

  /** The tensor's name. */
  String name() {
    return entry.name();
  }

  /** SHA-256 of the old bytes, as it was when they were changed. */
  String sha256() {
    return entry.before();
  }

  @Override
  public Path path() {
    return path;
  }

  @Override
  public long size() {
    return entry.place().length();
  }

  @Override
  public void readFully(MemorySegment into, long position) {
    restorers.with(entry, restorer -> restorer.read(into, position));
  }
}
