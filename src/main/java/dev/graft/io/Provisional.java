package dev.graft.io;

import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Collection;
import java.util.Deque;

/**
 * New files that are complete and have their names before it is certain that they stay, because
 * something else that belongs to them reads them. Unless {@link #keep} is called, closing this, a
 * failure or Ctrl-C removes them, and the folders that were made for them. What is there at the
 * beginning is never touched.
 *
 * <pre>{@code
 * try (Provisional made = Provisional.of(List.of(file))) {
 *   write(file);
 *   readAndGoOn(file);
 *   made.keep();
 * }
 * }</pre>
 */
public final class Provisional implements AutoCloseable {

  private final Deque<Path> newestFirst = new ArrayDeque<>();

  private Provisional() {}

  /**
   * Takes note of files that are about to be written.
   *
   * @param files their names; those that exist are left out
   */
  public static Provisional of(Collection<Path> files) {
    Provisional made = new Provisional();
    for (Path file : files) {
      made.addMissing(file.toAbsolutePath());
    }
    made.newestFirst.descendingIterator().forEachRemaining(Unfinished::add);
    return made;
  }

  /** Folders come before what lies in them. */
  private void addMissing(Path path) {
    if (newestFirst.contains(path) || Files.exists(path, LinkOption.NOFOLLOW_LINKS)) {
      return;
    }
    Path above = path.getParent();
    if (above != null) {
      addMissing(above);
    }
    newestFirst.push(path);
  }

  /** The files stay. */
  public void keep() {
    newestFirst.forEach(Unfinished::forget);
    newestFirst.clear();
  }

  /** Removes the files unless they were kept. */
  @Override
  public void close() {
    newestFirst.forEach(Unfinished::remove);
    newestFirst.clear();
  }
}
