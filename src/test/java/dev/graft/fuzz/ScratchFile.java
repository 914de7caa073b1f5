package dev.graft.fuzz;

import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/** A file that is filled anew for each input; it stays open, which is quicker. */
final class ScratchFile implements Closeable {

  private final Path path;
  private final FileChannel channel;

  ScratchFile(Path path) throws IOException {
    this.path = path;
    this.channel = FileChannel.open(path, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
  }

  Path path() {
    return path;
  }

  /** Makes these bytes the whole of the file. */
  void fill(byte[] bytes) throws IOException {
    fill(bytes, bytes.length);
  }

  /** Makes these bytes the start of the file, and holes the rest. */
  void fill(byte[] bytes, long length) throws IOException {
    channel.truncate(0);
    ByteBuffer buffer = ByteBuffer.wrap(bytes);
    while (buffer.hasRemaining()) {
      channel.write(buffer, buffer.position());
    }
    if (length > bytes.length) {
      channel.write(ByteBuffer.allocate(1), length - 1);
    }
  }

  @Override
  public void close() throws IOException {
    channel.close();
  }
}
