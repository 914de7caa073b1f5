package dev.graft.io;

import dev.graft.error.FormatException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.List;

/** A file put together from ranges of others, which reads as if it lay on the disk. */
public final class ComposedFile implements OpenFile {

  private final Path path;
  private final List<Extent> extents;
  private final long size;

  /**
   * A run of bytes that come from one place.
   *
   * @param start where they stand in this file
   * @param length how many
   * @param source where they come from
   * @param offset where they begin there
   */
  public record Extent(long start, long length, ByteSource source, long offset) {

    /** The first byte behind. */
    public long end() {
      return start + length;
    }

    private Extent within(long from, long to) {
      long first = Math.max(start, from);
      return new Extent(first, Math.min(end(), to) - first, source, offset + first - start);
    }
  }

  /**
   * Puts a file together. Closing it closes none of the sources.
   *
   * @param path what messages call it
   * @param extents one right behind the other, from 0 on
   * @throws IllegalArgumentException if they leave a gap or overlap
   */
  public ComposedFile(Path path, List<Extent> extents) {
    this.path = path;
    this.extents = List.copyOf(extents);
    long end = 0;
    for (Extent extent : extents) {
      if (extent.start() != end || extent.length() <= 0) {
        throw new IllegalArgumentException(
            path + ": the range at " + extent.start() + " does not follow on " + end);
      }
      end = extent.end();
    }
    this.size = end;
  }

  /** The parts of extents that a range consists of, in order. */
  public List<Extent> extents(long offset, long length) {
    return extents.subList(find(offset), extents.size()).stream()
        .takeWhile(e -> e.start() < offset + length)
        .map(e -> e.within(offset, offset + length))
        .toList();
  }

  @Override
  public Path path() {
    return path;
  }

  @Override
  public long size() {
    return size;
  }

  /** Reads are counted where they happen, in the sources. */
  @Override
  public long bytesRead() {
    return 0;
  }

  @Override
  public void readFully(MemorySegment into, long position) {
    long end = position + into.byteSize();
    if (end > size) {
      throw new FormatException(
          path
              + ": "
              + into.byteSize()
              + " bytes at offset "
              + position
              + " are needed, but it ends at "
              + size);
    }
    long done = position;
    for (int i = find(position); done < end; i++) {
      Extent part = extents.get(i).within(position, end);
      part.source().readFully(into.asSlice(part.start() - position, part.length()), part.offset());
      done = part.end();
    }
  }

  /** The extent that holds a position; behind the end the number of extents. */
  private int find(long position) {
    int low = 0;
    int high = extents.size();
    while (low < high) {
      int middle = (low + high) >>> 1;
      if (extents.get(middle).end() <= position) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    return low;
  }

  @Override
  public void close() {}
}
