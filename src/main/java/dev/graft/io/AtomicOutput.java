package dev.graft.io;

import dev.graft.error.RuntimeFailure;
import dev.graft.error.UsageException;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * One main file, or several that belong together, and any number of further ones, which appear
 * whole or not at all. Until {@link #commit} everything lies under temporary names; then the
 * further files get theirs, which must be free, and last the rename of the main file, which may
 * replace an older one, is the one commit point. Several main files are renamed one right after the
 * other, when all bytes of all are on the disk. Closing without a commit, a failure or Ctrl-C
 * removes every trace and leaves older files as they were; should the rename of a second or later
 * main file fail, those before it stay, whole, and the message names them.
 *
 * <pre>{@code
 * try (AtomicOutput out = AtomicOutput.begin(path)) {
 *   out.main().write(bytes, 0);
 *   out.commit();
 * }
 * }</pre>
 *
 * <p>The files may be written from several threads, the set itself belongs to one.
 */
public final class AtomicOutput implements AutoCloseable {

  private final List<OutputFile> mains = new ArrayList<>();
  private final List<OutputFile> further = new ArrayList<>();
  private final List<OutputFile> scratch = new ArrayList<>();
  private final List<Successor> successors = new ArrayList<>();
  private final Deque<Path> createdFolders;
  private final List<Path> retired = new ArrayList<>();
  private boolean committed;
  private boolean closed;

  /** A file under a fresh name that takes an older one's place after the commit point. */
  private record Successor(OutputFile fresh, Path place) {}

  private AtomicOutput(OutputFile main, Deque<Path> createdFolders) {
    this.mains.add(main);
    this.createdFolders = createdFolders;
  }

  /**
   * Begins an output. Folders above it that are missing are created, and removed again if nothing
   * comes of it.
   *
   * @param mainPath where the main file is to appear; an older file there stays whole until the
   *     commit
   * @throws UsageException if the path is a folder
   * @throws RuntimeFailure if the folder cannot be written to
   */
  public static AtomicOutput begin(Path mainPath) {
    Path path = fileAt(mainPath);
    Deque<Path> created = new ArrayDeque<>();
    try {
      createFoldersAbove(path, created);
      return new AtomicOutput(OutputFile.create(path), created);
    } catch (RuntimeException e) {
      created.forEach(Unfinished::remove);
      throw e;
    }
  }

  private static Path fileAt(Path given) {
    Path path = given.toAbsolutePath();
    if (path.getFileName() == null || Files.isDirectory(path)) {
      throw new UsageException(given + ": the output is a directory; name a file in it");
    }
    return path;
  }

  private static void createFoldersAbove(Path path, Deque<Path> createdNewestFirst) {
    Deque<Path> missing = new ArrayDeque<>();
    for (Path p = path.getParent(); p != null && !Files.exists(p); p = p.getParent()) {
      missing.push(p);
    }
    for (Path folder : missing) {
      try {
        Files.createDirectory(folder);
        createdNewestFirst.push(folder);
        Unfinished.add(folder);
      } catch (IOException e) {
        if (Files.isDirectory(folder)) {
          continue; // another process was quicker, and the folder is its own
        }
        throw new RuntimeFailure(
            folder + ": the folder cannot be created: " + Refusal.reason(e), e);
      }
    }
  }

  /** The file whose rename commits the output; the first one if there are several. */
  public OutputFile main() {
    return mains.getFirst();
  }

  /**
   * Adds another main file, in an existing folder.
   *
   * @throws UsageException if the path is a folder or a file of this output already
   * @throws RuntimeFailure if the folder cannot be written to
   */
  public OutputFile addMain(Path mainPath) {
    Path path = fileAt(mainPath);
    if (files().anyMatch(file -> file.path().equals(path))) {
      throw new UsageException(mainPath + ": two files of the output would have this name");
    }
    OutputFile file = OutputFile.create(path);
    mains.add(file);
    return file;
  }

  private Stream<OutputFile> files() {
    return Stream.concat(mains.stream(), further.stream());
  }

  /**
   * Whether {@link #addFile} would accept the path: nothing has that name, not even a dangling
   * link.
   */
  public boolean isFree(Path path) {
    Path absolute = path.toAbsolutePath();
    return !Files.exists(absolute, LinkOption.NOFOLLOW_LINKS)
        && files().noneMatch(file -> file.path().equals(absolute));
  }

  /**
   * Adds a file to the output, in an existing folder.
   *
   * @throws RuntimeFailure if the name is taken: nothing that exists is overwritten before the
   *     commit point
   */
  public OutputFile addFile(Path path) {
    if (!isFree(path)) {
      throw new RuntimeFailure(path + ": the name is taken; existing files are never overwritten");
    }
    OutputFile file = OutputFile.create(path.toAbsolutePath());
    further.add(file);
    return file;
  }

  /**
   * Adds a file that belongs to the main one and may have to take an older one's place. Where
   * nothing has its name it is like any further file; otherwise it gets the name with {@code .new}
   * behind before the commit point, and its own after it: the older file is there for as long as
   * what it belongs to.
   */
  public OutputFile addSuccessor(Path path) {
    return isFree(path) ? addFile(path) : addAside(path);
  }

  /**
   * The same where nothing may have its name before the commit point, even if it is free: whoever
   * finds it there must find what it belongs to.
   */
  public OutputFile addAside(Path path) {
    OutputFile fresh = addFile(path.resolveSibling(path.getFileName() + ".new"));
    successors.add(new Successor(fresh, path));
    return fresh;
  }

  /** Adds a file for what is needed only while the output is made; it never gets a name. */
  public OutputFile addScratch() {
    OutputFile file =
        OutputFile.create(main().path().resolveSibling(main().path().getFileName() + ".scratch"));
    scratch.add(file);
    return file;
  }

  /** Names a file that the new main file no longer needs; it is deleted after the commit point. */
  public void retire(Path old) {
    retired.add(old);
  }

  /**
   * Makes the output appear: all bytes reach the disk first, then the names change.
   *
   * @return the retired files that could not be deleted; the output is complete all the same
   * @throws RuntimeFailure if anything fails before the commit point; close this to remove what was
   *     written
   */
  public List<Path> commit() {
    if (closed || committed) {
      throw new IllegalStateException(
          main().path() + ": already " + (committed ? "committed" : "closed"));
    }
    scratch.forEach(OutputFile::discard);
    scratch.clear();
    further.forEach(OutputFile::finish);
    mains.forEach(OutputFile::finish);
    Unfinished.LOCK.lock();
    try {
      further.forEach(OutputFile::publishFresh);
      further.stream().map(AtomicOutput::folderOf).distinct().forEach(AtomicOutput::forceFolder);
      publishMains();
      committed = true;
      files().forEach(OutputFile::keep);
      createdFolders.forEach(Unfinished::forget);
    } finally {
      Unfinished.LOCK.unlock();
    }
    mains.stream().map(AtomicOutput::folderOf).distinct().forEach(AtomicOutput::forceFolder);
    createdFolders.forEach(folder -> forceFolder(folder.resolveSibling("")));
    successors.forEach(successor -> successor.fresh().moveTo(successor.place()));
    return deleteRetired();
  }

  private void publishMains() {
    List<OutputFile> published = new ArrayList<>();
    try {
      for (OutputFile main : mains) {
        main.publish();
        published.add(main);
      }
    } catch (RuntimeFailure e) {
      if (published.isEmpty()) {
        throw e;
      }
      // What they replaced is gone, so they stay, with all that they may need.
      Stream.concat(published.stream(), further.stream()).forEach(OutputFile::keep);
      mains.removeAll(published);
      further.clear();
      createdFolders.forEach(Unfinished::forget);
      createdFolders.clear();
      String paths =
          published.stream().map(p -> p.path().toString()).collect(Collectors.joining(", "));
      throw new RuntimeFailure(
          e.getMessage() + "; of the files that belong together these are new already: " + paths,
          e);
    }
  }

  private static Path folderOf(OutputFile file) {
    return file.path().resolveSibling("");
  }

  /**
   * Makes renames durable. Where folders cannot be opened (Windows) the file system sees to it
   * itself.
   */
  static void forceFolder(Path folder) {
    try (FileChannel channel = FileChannel.open(folder, StandardOpenOption.READ)) {
      channel.force(true);
    } catch (IOException e) {
      // The files themselves are on the disk; only a power cut right now could lose the new names.
    }
  }

  private List<Path> deleteRetired() {
    List<Path> left = new ArrayList<>();
    for (Path old : retired) {
      try {
        Files.deleteIfExists(old);
      } catch (IOException e) {
        left.add(old);
      }
    }
    return List.copyOf(left);
  }

  /** Removes everything unless it was committed. */
  @Override
  public void close() {
    if (closed) {
      return;
    }
    closed = true;
    scratch.forEach(OutputFile::discard);
    if (!committed) {
      files().forEach(OutputFile::discard);
      createdFolders.forEach(Unfinished::remove);
    }
  }
}
