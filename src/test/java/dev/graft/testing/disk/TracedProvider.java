package dev.graft.testing.disk;

import java.io.IOException;
import java.net.URI;
import java.nio.channels.FileChannel;
import java.nio.channels.SeekableByteChannel;
import java.nio.file.AccessMode;
import java.nio.file.CopyOption;
import java.nio.file.DirectoryStream;
import java.nio.file.FileStore;
import java.nio.file.FileSystem;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.OpenOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.FileAttributeView;
import java.nio.file.spi.FileSystemProvider;
import java.util.Iterator;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Does everything as the default provider does and tells the trace of every change. */
final class TracedProvider extends FileSystemProvider {

  private final FileSystemProvider real;
  private final TracedFileSystem fileSystem;
  private final DiskTrace trace;

  TracedProvider(FileSystemProvider real, TracedFileSystem fileSystem, DiskTrace trace) {
    this.real = real;
    this.fileSystem = fileSystem;
    this.trace = trace;
  }

  @Override
  public String getScheme() {
    return "traced";
  }

  @Override
  public FileSystem newFileSystem(URI uri, Map<String, ?> environment) {
    throw new UnsupportedOperationException();
  }

  @Override
  public FileSystem getFileSystem(URI uri) {
    return fileSystem;
  }

  @Override
  public Path getPath(URI uri) {
    throw new UnsupportedOperationException();
  }

  @Override
  public FileChannel newFileChannel(
      Path path, Set<? extends OpenOption> options, FileAttribute<?>... attributes)
      throws IOException {
    Path file = TracedPath.real(path);
    synchronized (trace) {
      boolean existed = Files.exists(file, LinkOption.NOFOLLOW_LINKS);
      FileChannel channel = real.newFileChannel(file, options, attributes);
      if (trace.isFolder(file)) {
        return new TracedChannel(channel, new OfFolder());
      }
      if (!options.contains(StandardOpenOption.WRITE)) {
        return new TracedChannel(
            channel, trace.file(file).<TracedChannel.Told>map(OfFile::new).orElse(new ReadOnly()));
      }
      int number = existed ? trace.file(file).orElseThrow() : trace.created(file);
      if (existed && options.contains(StandardOpenOption.TRUNCATE_EXISTING)) {
        trace.truncated(number, 0);
      }
      return new TracedChannel(channel, new OfFile(number));
    }
  }

  @Override
  public SeekableByteChannel newByteChannel(
      Path path, Set<? extends OpenOption> options, FileAttribute<?>... attributes)
      throws IOException {
    return newFileChannel(path, options, attributes);
  }

  @Override
  public DirectoryStream<Path> newDirectoryStream(
      Path folder, DirectoryStream.Filter<? super Path> filter) throws IOException {
    DirectoryStream<Path> found =
        real.newDirectoryStream(
            TracedPath.real(folder), p -> filter.accept(new TracedPath(fileSystem, p)));
    return new DirectoryStream<>() {
      @Override
      public Iterator<Path> iterator() {
        Iterator<Path> paths = found.iterator();
        return new Iterator<>() {
          @Override
          public boolean hasNext() {
            return paths.hasNext();
          }

          @Override
          public Path next() {
            return new TracedPath(fileSystem, paths.next());
          }
        };
      }

      @Override
      public void close() throws IOException {
        found.close();
      }
    };
  }

  @Override
  public void createDirectory(Path folder, FileAttribute<?>... attributes) {
    throw new UnsupportedOperationException(folder + ": the trace knows one folder only");
  }

  @Override
  public void delete(Path path) throws IOException {
    synchronized (trace) {
      real.delete(TracedPath.real(path));
      trace.deleted(TracedPath.real(path));
    }
  }

  @Override
  public void copy(Path from, Path to, CopyOption... options) {
    throw new UnsupportedOperationException(to + ": is copied by the system, which is not traced");
  }

  @Override
  public void move(Path from, Path to, CopyOption... options) throws IOException {
    synchronized (trace) {
      real.move(TracedPath.real(from), TracedPath.real(to), options);
      trace.renamed(TracedPath.real(from), TracedPath.real(to));
    }
  }

  @Override
  public boolean isSameFile(Path one, Path other) throws IOException {
    return real.isSameFile(TracedPath.real(one), TracedPath.real(other));
  }

  @Override
  public boolean isHidden(Path path) throws IOException {
    return real.isHidden(TracedPath.real(path));
  }

  @Override
  public FileStore getFileStore(Path path) throws IOException {
    return real.getFileStore(TracedPath.real(path));
  }

  @Override
  public void checkAccess(Path path, AccessMode... modes) throws IOException {
    real.checkAccess(TracedPath.real(path), modes);
  }

  @Override
  public <V extends FileAttributeView> @Nullable V getFileAttributeView(
      Path path, Class<V> type, LinkOption... options) {
    return real.getFileAttributeView(TracedPath.real(path), type, options);
  }

  @Override
  public <A extends BasicFileAttributes> A readAttributes(
      Path path, Class<A> type, LinkOption... options) throws IOException {
    return real.readAttributes(TracedPath.real(path), type, options);
  }

  @Override
  public Map<String, Object> readAttributes(Path path, String attributes, LinkOption... options)
      throws IOException {
    return real.readAttributes(TracedPath.real(path), attributes, options);
  }

  @Override
  public void setAttribute(Path path, String attribute, Object value, LinkOption... options)
      throws IOException {
    real.setAttribute(TracedPath.real(path), attribute, value, options);
  }

  /** What is done to a file of the folder. */
  private final class OfFile implements TracedChannel.Told {
    private final int file;

    OfFile(int file) {
      this.file = file;
    }

    @Override
    public void wrote(long position, byte[] bytes) {
      trace.wrote(file, position, bytes);
    }

    @Override
    public void truncated(long length) {
      trace.truncated(file, length);
    }

    @Override
    public void forced() {
      trace.forced(file);
    }
  }

  /** The folder itself. */
  private final class OfFolder extends ReadOnly {
    @Override
    public void forced() {
      trace.forcedFolder();
    }
  }

  /** A file elsewhere. */
  private static class ReadOnly implements TracedChannel.Told {
    @Override
    public void wrote(long position, byte[] bytes) {
      throw new IllegalStateException("opened for reading only");
    }

    @Override
    public void truncated(long length) {
      throw new IllegalStateException("opened for reading only");
    }

    @Override
    public void forced() {
      // Nothing of it is traced.
    }
  }
}
