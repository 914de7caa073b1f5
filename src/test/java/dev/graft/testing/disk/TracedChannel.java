package dev.graft.testing.disk;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.MappedByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.ReadableByteChannel;
import java.nio.channels.WritableByteChannel;

/** A channel that tells of every change; it is none of the JDK's own, so copies come through it. */
final class TracedChannel extends FileChannel {

  private static final int COPY_STEP = 1 << 13;

  private final FileChannel channel;
  private final Told told;

  /** Who is told; does nothing for files that are not traced, which may not be changed. */
  interface Told {
    void wrote(long position, byte[] bytes);

    void truncated(long length);

    void forced();
  }

  TracedChannel(FileChannel channel, Told told) {
    this.channel = channel;
    this.told = told;
  }

  @Override
  public int read(ByteBuffer into) throws IOException {
    return channel.read(into);
  }

  @Override
  public long read(ByteBuffer[] into, int offset, int length) throws IOException {
    return channel.read(into, offset, length);
  }

  @Override
  public int read(ByteBuffer into, long position) throws IOException {
    return channel.read(into, position);
  }

  @Override
  public synchronized int write(ByteBuffer from) throws IOException {
    int count = write(from, channel.position());
    channel.position(channel.position() + count);
    return count;
  }

  @Override
  public long write(ByteBuffer[] from, int offset, int length) throws IOException {
    long count = 0;
    for (int i = offset; i < offset + length; i++) {
      count += write(from[i]);
    }
    return count;
  }

  @Override
  public synchronized int write(ByteBuffer from, long position) throws IOException {
    ByteBuffer before = from.duplicate();
    int count = channel.write(from, position);
    byte[] bytes = new byte[count];
    before.get(bytes);
    told.wrote(position, bytes);
    return count;
  }

  @Override
  public long position() throws IOException {
    return channel.position();
  }

  @Override
  public FileChannel position(long position) throws IOException {
    channel.position(position);
    return this;
  }

  @Override
  public long size() throws IOException {
    return channel.size();
  }

  @Override
  public synchronized FileChannel truncate(long length) throws IOException {
    if (length < channel.size()) {
      told.truncated(length);
    }
    channel.truncate(length);
    return this;
  }

  /** The trace knows what this promises; the real disk need not be waited for. */
  @Override
  public synchronized void force(boolean metadata) {
    told.forced();
  }

  @Override
  public long transferTo(long position, long count, WritableByteChannel target) throws IOException {
    ByteBuffer block = ByteBuffer.allocate((int) Math.min(COPY_STEP, count));
    int read = channel.read(block, position);
    return read <= 0 ? 0 : target.write(block.flip());
  }

  @Override
  public long transferFrom(ReadableByteChannel source, long position, long count)
      throws IOException {
    ByteBuffer block = ByteBuffer.allocate((int) Math.min(COPY_STEP, count));
    int read = source.read(block);
    return read <= 0 ? 0 : write(block.flip(), position);
  }

  /** Writes through a map would go unseen. */
  @Override
  public MappedByteBuffer map(MapMode mode, long position, long size) throws IOException {
    if (!mode.equals(MapMode.READ_ONLY)) {
      throw new UnsupportedOperationException("a map that is written to");
    }
    return channel.map(mode, position, size);
  }

  @Override
  public FileLock lock(long position, long size, boolean shared) throws IOException {
    return channel.lock(position, size, shared);
  }

  @Override
  public FileLock tryLock(long position, long size, boolean shared) throws IOException {
    return channel.tryLock(position, size, shared);
  }

  @Override
  protected void implCloseChannel() throws IOException {
    channel.close();
  }
}
