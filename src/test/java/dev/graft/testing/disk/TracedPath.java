package dev.graft.testing.disk;

import java.io.IOException;
import java.net.URI;
import java.nio.file.FileSystem;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.WatchEvent;
import java.nio.file.WatchKey;
import java.nio.file.WatchService;
import org.jspecify.annotations.Nullable;

/** A path of the default file system, by way of {@link TracedFileSystem}. */
record TracedPath(TracedFileSystem fileSystem, Path real) implements Path {

  private Path traced(Path path) {
    return new TracedPath(fileSystem, path);
  }

  private @Nullable Path tracedOrNull(@Nullable Path path) {
    return path == null ? null : traced(path);
  }

  /** The path of the default file system behind any. */
  static Path real(Path path) {
    return path instanceof TracedPath traced ? traced.real : path;
  }

  @Override
  public FileSystem getFileSystem() {
    return fileSystem;
  }

  @Override
  public boolean isAbsolute() {
    return real.isAbsolute();
  }

  @Override
  public @Nullable Path getRoot() {
    return tracedOrNull(real.getRoot());
  }

  @Override
  public @Nullable Path getFileName() {
    return tracedOrNull(real.getFileName());
  }

  @Override
  public @Nullable Path getParent() {
    return tracedOrNull(real.getParent());
  }

  @Override
  public int getNameCount() {
    return real.getNameCount();
  }

  @Override
  public Path getName(int index) {
    return traced(real.getName(index));
  }

  @Override
  public Path subpath(int from, int to) {
    return traced(real.subpath(from, to));
  }

  @Override
  public boolean startsWith(Path other) {
    return other instanceof TracedPath traced && real.startsWith(traced.real);
  }

  @Override
  public boolean endsWith(Path other) {
    return other instanceof TracedPath traced && real.endsWith(traced.real);
  }

  @Override
  public Path normalize() {
    return traced(real.normalize());
  }

  @Override
  public Path resolve(Path other) {
    return traced(real.resolve(real(other)));
  }

  @Override
  public Path relativize(Path other) {
    return traced(real.relativize(real(other)));
  }

  @Override
  public URI toUri() {
    return real.toUri();
  }

  @Override
  public Path toAbsolutePath() {
    return traced(real.toAbsolutePath());
  }

  @Override
  public Path toRealPath(LinkOption... options) throws IOException {
    return traced(real.toRealPath(options));
  }

  @Override
  public WatchKey register(
      WatchService watcher, WatchEvent.Kind<?>[] events, WatchEvent.Modifier... modifiers) {
    throw new UnsupportedOperationException();
  }

  @Override
  public int compareTo(Path other) {
    return real.compareTo(real(other));
  }

  @Override
  public String toString() {
    return real.toString();
  }
}
