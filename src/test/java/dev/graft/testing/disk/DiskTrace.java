package dev.graft.testing.disk;

import dev.graft.testing.disk.Operation.Create;
import dev.graft.testing.disk.Operation.Delete;
import dev.graft.testing.disk.Operation.Force;
import dev.graft.testing.disk.Operation.ForceFolder;
import dev.graft.testing.disk.Operation.Rename;
import dev.graft.testing.disk.Operation.Truncate;
import dev.graft.testing.disk.Operation.Write;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.stream.Stream;

/**
 * Everything that is done to the files of one folder through {@link #path}. What lies there at the
 * beginning counts as being on the disk. Other folders may be read through such paths and not
 * written to.
 */
public final class DiskTrace {

  private final Path folder;
  private final TracedFileSystem fileSystem;
  private final SortedMap<String, byte[]> initial;
  private final Map<String, Integer> names = new HashMap<>();
  private final List<Operation> operations = new ArrayList<>();
  private int files;

  private DiskTrace(Path folder, SortedMap<String, byte[]> initial) {
    this.folder = folder;
    this.initial = initial;
    this.fileSystem = new TracedFileSystem(FileSystems.getDefault(), this);
    initial.keySet().forEach(name -> names.put(name, files++));
  }

  /** Begins a trace of a folder that has files and no folders in it. */
  public static DiskTrace of(Path folder) throws IOException {
    return new DiskTrace(folder.toRealPath(), contents(folder));
  }

  /** The files of a folder by name, in order. */
  public static SortedMap<String, byte[]> contents(Path folder) throws IOException {
    SortedMap<String, byte[]> contents = new TreeMap<>();
    try (Stream<Path> found = Files.list(folder)) {
      for (Path file : found.toList()) {
        contents.put(String.valueOf(file.getFileName()), Files.readAllBytes(file));
      }
    }
    return contents;
  }

  /** A path of which every use is recorded. */
  public Path path(Path real) {
    return new TracedPath(fileSystem, real.toAbsolutePath());
  }

  /** How many operations there were so far. */
  public synchronized int size() {
    return operations.size();
  }

  /**
   * What a power cut may leave.
   *
   * @param after how many operations had been carried out; what was not forced by then may have
   *     reached the disk or not
   * @param random chooses
   */
  public synchronized CrashState cutAfter(int after, Random random) {
    CrashState state = new CrashState(random);
    initial.forEach(state::put);
    operations.subList(0, after).forEach(state::apply);
    return state;
  }

  /** The operations one a line, for the message of a failure. */
  @Override
  public synchronized String toString() {
    List<String> lines = new ArrayList<>();
    for (Operation operation : operations) {
      lines.add(
          lines.size()
              + " "
              + switch (operation) {
                case Write w ->
                    "write %d: %d bytes at %d"
                        .formatted(w.file(), w.bytes().remaining(), w.position());
                default -> operation.toString();
              });
    }
    return String.join("\n", lines);
  }

  boolean isFolder(Path real) {
    return folder.equals(real.normalize());
  }

  /** The number of a file of the folder. */
  synchronized Optional<Integer> file(Path real) {
    return isFolder(real.resolveSibling(""))
        ? Optional.ofNullable(names.get(name(real)))
        : Optional.empty();
  }

  private static String name(Path real) {
    return String.valueOf(real.getFileName());
  }

  private String nameHere(Path real) {
    if (!isFolder(real.resolveSibling(""))) {
      throw new IllegalStateException(real + ": is changed, but not in the traced folder");
    }
    return name(real);
  }

  synchronized int created(Path real) {
    int file = files++;
    names.put(nameHere(real), file);
    operations.add(new Create(name(real), file));
    return file;
  }

  synchronized void renamed(Path from, Path to) {
    int file = remove(from);
    names.put(nameHere(to), file);
    operations.add(new Rename(name(from), name(to), file));
  }

  synchronized void deleted(Path real) {
    operations.add(new Delete(name(real), remove(real)));
  }

  private int remove(Path real) {
    return Optional.ofNullable(names.remove(nameHere(real))).orElseThrow();
  }

  synchronized void wrote(int file, long position, byte[] bytes) {
    operations.add(new Write(file, position, ByteBuffer.wrap(bytes).asReadOnlyBuffer()));
  }

  synchronized void truncated(int file, long length) {
    operations.add(new Truncate(file, length));
  }

  synchronized void forced(int file) {
    operations.add(new Force(file));
  }

  synchronized void forcedFolder() {
    operations.add(new ForceFolder());
  }
}
