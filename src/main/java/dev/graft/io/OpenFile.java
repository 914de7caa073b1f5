package dev.graft.io;

/**
 * A file that is open for reading: one on the disk, or one that is put together from ranges of
 * others and reads like it. Safe to share between threads.
 */
public interface OpenFile extends ByteSource, AutoCloseable {

  /** How many bytes have been read so far, copies within the kernel included. */
  long bytesRead();

  @Override
  void close();
}
