package dev.graft.tensor;

import java.nio.file.Path;
import java.util.Comparator;
import org.jspecify.annotations.Nullable;

/**
 * Where the bytes of a tensor lie. Embedded, external and safetensors data all look like this, so
 * that nothing above needs to know which it was.
 *
 * @param file the file that holds the bytes
 * @param offset bytes from the start of the file; need not be aligned
 * @param length number of bytes
 */
public record TensorSource(Path file, long offset, long length)
    implements Comparable<TensorSource> {

  private static final Comparator<TensorSource> ORDER =
      Comparator.comparing(TensorSource::file)
          .thenComparingLong(TensorSource::offset)
          .thenComparingLong(TensorSource::length);

  /**
   * Checks that the range makes sense on its own; whether the file is that long is the reader's
   * duty.
   */
  public TensorSource {
    if (offset < 0 || length < 0 || offset > Long.MAX_VALUE - length) {
      throw new IllegalArgumentException(
          file + ": no such byte range: offset " + offset + ", length " + length);
    }
  }

  /** By file, then by place, then by length. */
  @Override
  public int compareTo(TensorSource other) {
    return ORDER.compare(this, other);
  }

  /** The first byte after the tensor. */
  public long end() {
    return offset + length;
  }

  // As in every record, but what the compiler makes is put together at run time, some milliseconds
  // of every start.
  @Override
  public boolean equals(@Nullable Object other) {
    return other instanceof TensorSource s
        && offset == s.offset
        && length == s.length
        && file.equals(s.file);
  }

  @Override
  public int hashCode() {
    return 31 * (31 * file.hashCode() + Long.hashCode(offset)) + Long.hashCode(length);
  }
}
