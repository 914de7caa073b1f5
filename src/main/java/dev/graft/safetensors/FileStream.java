package dev.graft.safetensors;

import dev.graft.io.InputFile;
import java.io.InputStream;
import java.nio.ByteBuffer;

/** The bytes of one range of a file as a stream, read by position. */
final class FileStream extends InputStream {

  private final InputFile file;
  private final long end;
  private long position;

  FileStream(InputFile file, long offset, long length) {
    this.file = file;
    this.position = offset;
    this.end = offset + length;
  }

  @Override
  public int read() {
    byte[] one = new byte[1];
    return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
  }

  @Override
  public int read(byte[] into, int offset, int length) {
    if (length == 0) {
      return 0;
    }
    int count = (int) Math.min(length, end - position);
    if (count <= 0) {
      return -1;
    }
    file.readFully(ByteBuffer.wrap(into, offset, count), position);
    position += count;
    return count;
  }
}
