package dev.graft.io;

import java.lang.foreign.MemorySegment;
import java.nio.file.Path;

/** A file whose bytes can be read at any position, from any thread. */
public interface ByteSource {

  /** The path to name in messages. */
  Path path();

  /** Length in bytes. */
  long size();

  /**
   * Fills a segment with the bytes from a position on.
   *
   * @param into the segment to fill, heap or native
   * @param position bytes from the start of the file
   * @throws dev.graft.error.FormatException if the file ends before the segment is full
   * @throws dev.graft.error.RuntimeFailure if the disk fails
   */
  void readFully(MemorySegment into, long position);
}
