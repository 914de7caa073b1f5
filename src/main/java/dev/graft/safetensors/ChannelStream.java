package dev.graft.safetensors;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;

/** The bytes of one range of a file as a stream, read by position. */
final class ChannelStream extends InputStream {

  private final FileChannel channel;
  private final long end;
  private long position;

  ChannelStream(FileChannel channel, long offset, long length) {
    this.channel = channel;
    this.position = offset;
    this.end = offset + length;
  }

  @Override
  public int read() throws IOException {
    byte[] one = new byte[1];
    return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
  }

  @Override
  public int read(byte[] into, int offset, int length) throws IOException {
    if (length == 0) {
      return 0;
    }
    if (position >= end) {
      return -1;
    }
    ByteBuffer buffer = ByteBuffer.wrap(into, offset, (int) Math.min(length, end - position));
    int read = channel.read(buffer, position);
    if (read > 0) {
      position += read;
    }
    return read;
  }
}
