package dev.graft.fold;

import dev.graft.error.RuntimeFailure;
import dev.graft.error.UnsupportedException;
import dev.graft.error.UsageException;
import dev.graft.io.AtomicOutput;
import dev.graft.io.Journal;
import dev.graft.io.Mappings;
import dev.graft.io.WriterLock;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermission;
import java.util.Collections;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.function.Function;

/**
 * The right to change a model in its own files: one process at a time, and none that has the model
 * open. What an update that was stopped has left undone is finished first.
 */
public final class InPlaceUpdate implements AutoCloseable {

  private static final Set<PosixFilePermission> WRITERS =
      EnumSet.of(
          PosixFilePermission.OWNER_WRITE,
          PosixFilePermission.GROUP_WRITE,
          PosixFilePermission.OTHERS_WRITE);

  private final Path model;
  private final WriterLock lock;
  private final Mapped mapped;

  /** What happens where another process has the model's files mapped into its memory. */
  public enum Mapped {
    REFUSED,
    ALLOWED
  }

  private InPlaceUpdate(Path model, WriterLock lock, Mapped mapped) {
    this.model = model;
    this.lock = lock;
    this.mapped = mapped;
  }

  /**
   * Takes the right.
   *
   * @param model path of the model file
   * @throws UsageException if it is a link, has several names or may not be written
   * @throws UnsupportedException if thin models lie on it
   * @throws RuntimeFailure if another process is changing it
   */
  public static InPlaceUpdate begin(Path model, Mapped mapped) {
    Path absolute = model.toAbsolutePath();
    requireOwn(absolute);
    requireNoneOn(absolute);
    WriterLock lock = WriterLock.acquire(absolute);
    try {
      Files.deleteIfExists(Journal.roomFor(absolute));
      return new InPlaceUpdate(absolute, lock, mapped);
    } catch (IOException e) {
      lock.close();
      throw new RuntimeFailure(
          Journal.roomFor(absolute) + ": cannot be deleted: " + e.getMessage(), e);
    }
  }

  /**
   * Writes the journal of an update and carries it out.
   *
   * @param files the model's data files
   * @param undo whether the model has an undo record afterwards
   * @param writing writes what is new
   * @return what it returned
   */
  <R> R write(List<InPlaceFile> files, UndoPolicy undo, Function<JournalledFiles, R> writing) {
    requireUnused(model);
    for (InPlaceFile file : files) {
      requireBeside(file);
      requireOwn(file.path());
      requireUnused(file.path());
    }
    UndoRecord.settle(model);
    R result;
    try (AtomicOutput output = AtomicOutput.begin(Journal.pathFor(model))) {
      result = writing.apply(new JournalledFiles(output, model, files, undo));
      output.commit();
    }
    Journal.replay(model);
    return result;
  }

  private static void requireNoneOn(Path model) {
    List<Path> thin = ThinModels.on(model);
    if (!thin.isEmpty()) {
      throw new UnsupportedException(
          "%s: thin models have their weights in its files and would break: %s; write a new file with -o, or materialize them first"
              .formatted(model, thin));
    }
  }

  private void requireBeside(InPlaceFile file) {
    Path folder = model.resolveSibling("");
    try {
      if (!Files.isSameFile(file.path().resolveSibling(""), folder)) {
        throw new UnsupportedException(
            "%s: its data file '%s' lies in another folder; in place needs it beside the model: write a new file with -o"
                .formatted(model, file.location()));
      }
    } catch (IOException e) {
      throw new RuntimeFailure(file.path() + ": cannot be examined: " + e.getMessage(), e);
    }
  }

  private static void requireOwn(Path file) {
    if (Files.isSymbolicLink(file)) {
      throw new UsageException(
          file + ": is a link; in place needs the file itself, or write a new one with -o");
    }
    if (!Files.isRegularFile(file, LinkOption.NOFOLLOW_LINKS)) {
      return; // whoever reads it says what is wrong
    }
    try {
      if (Files.getAttribute(file, "unix:nlink") instanceof Integer names && names > 1) {
        throw new UsageException(
            "%s: is one file under %d names (hard links), and in place would change all of them; write a new file with -o"
                .formatted(file, names));
      }
      requireWritable(file, !Collections.disjoint(Files.getPosixFilePermissions(file), WRITERS));
    } catch (UnsupportedOperationException | IllegalArgumentException e) {
      requireWritable(file, true); // no such attributes on this system
    } catch (IOException e) {
      throw new RuntimeFailure(file + ": cannot be examined: " + e.getMessage(), e);
    }
  }

  /** Root may write whatever the permissions say; a file that nobody may write is left alone. */
  private static void requireWritable(Path file, boolean permitted) {
    if (!permitted || !Files.isWritable(file)) {
      throw new UsageException(
          file + ": is read-only; make it writable, or write a new file with -o");
    }
  }

  private void requireUnused(Path file) {
    if (mapped == Mapped.ALLOWED) {
      return;
    }
    List<Long> processes = Mappings.of(file);
    if (!processes.isEmpty()) {
      throw new UsageException(
          "%s: is in use by process %s, which would see it change under its feet; stop it, write a new file with -o, or insist with --force"
              .formatted(file, processes.getFirst()));
    }
  }

  /** Gives the right back. */
  @Override
  public void close() {
    lock.close();
  }
}
