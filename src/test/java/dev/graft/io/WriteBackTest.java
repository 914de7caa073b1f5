package dev.graft.io;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.MappedByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.ReadableByteChannel;
import java.nio.channels.WritableByteChannel;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

class WriteBackTest {

  private static final long MUCH = 64L << 20;

  @Test
  @Timeout(10)
  void reportsAWriteThatWasLostInTheBackground() throws Exception {
    Disk disk = new Disk(1);
    WriteBack writeBack = new WriteBack(disk);
    writeBack.wrote(MUCH);
    assertThat(disk.firstForce.await(5, TimeUnit.SECONDS)).isTrue();
    // The system would call the second force a success: the error has been reported already.
    assertThatThrownBy(writeBack::finish).isInstanceOf(IOException.class).hasMessage("lost 1");
  }

  @Test
  void reportsAWriteThatWasLostAtTheEnd() {
    assertThatThrownBy(new WriteBack(new Disk(1))::finish)
        .isInstanceOf(IOException.class)
        .hasMessage("lost 1");
  }

  @Test
  void leavesASmallFileToTheEnd() throws IOException {
    Disk disk = new Disk(0);
    WriteBack writeBack = new WriteBack(disk);
    writeBack.wrote(1000);
    assertThat(disk.forces).hasValue(0);
    writeBack.finish();
    assertThat(disk.forces).hasValue(1);
  }

  @Test
  @Timeout(10)
  void startsTheDiskBeforeTheEndAndWaitsForIt() throws Exception {
    Disk disk = new Disk(0);
    WriteBack writeBack = new WriteBack(disk);
    writeBack.wrote(MUCH);
    writeBack.finish();
    assertThat(disk.forces).hasValue(2);
  }

  /** A channel that can only be forced, and fails to so many times. */
  private static final class Disk extends FileChannel {

    final AtomicInteger forces = new AtomicInteger();
    final CountDownLatch firstForce = new CountDownLatch(1);
    private final int failures;

    Disk(int failures) {
      this.failures = failures;
    }

    @Override
    public void force(boolean metaData) throws IOException {
      int count = forces.incrementAndGet();
      firstForce.countDown();
      if (count <= failures) {
        throw new IOException("lost " + count);
      }
    }

    @Override
    protected void implCloseChannel() {}

    @Override
    public int read(ByteBuffer into) {
      throw new UnsupportedOperationException();
    }

    @Override
    public long read(ByteBuffer[] into, int offset, int length) {
      throw new UnsupportedOperationException();
    }

    @Override
    public int read(ByteBuffer into, long position) {
      throw new UnsupportedOperationException();
    }

    @Override
    public int write(ByteBuffer from) {
      throw new UnsupportedOperationException();
    }

    @Override
    public long write(ByteBuffer[] from, int offset, int length) {
      throw new UnsupportedOperationException();
    }

    @Override
    public int write(ByteBuffer from, long position) {
      throw new UnsupportedOperationException();
    }

    @Override
    public long position() {
      throw new UnsupportedOperationException();
    }

    @Override
    public FileChannel position(long position) {
      throw new UnsupportedOperationException();
    }

    @Override
    public long size() {
      throw new UnsupportedOperationException();
    }

    @Override
    public FileChannel truncate(long size) {
      throw new UnsupportedOperationException();
    }

    @Override
    public long transferTo(long position, long count, WritableByteChannel target) {
      throw new UnsupportedOperationException();
    }

    @Override
    public long transferFrom(ReadableByteChannel from, long position, long count) {
      throw new UnsupportedOperationException();
    }

    @Override
    public MappedByteBuffer map(MapMode mode, long position, long size) {
      throw new UnsupportedOperationException();
    }

    @Override
    public FileLock lock(long position, long size, boolean shared) {
      throw new UnsupportedOperationException();
    }

    @Override
    public FileLock tryLock(long position, long size, boolean shared) {
      throw new UnsupportedOperationException();
    }
  }
}
