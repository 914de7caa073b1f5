package dev.graft.safetensors;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.UUID;

/** A new file under a temporary name in its final folder; it takes its name on commit and vanishes without one. */
final class PendingFile implements AutoCloseable {

  private final Path target;
  private final Path temporary;
  private final FileChannel channel;

  private PendingFile(Path target, Path temporary) throws IOException {
    this.target = target;
    this.temporary = temporary;
    this.channel =
        FileChannel.open(temporary, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE);
  }

  static PendingFile beside(Path target) throws IOException {
    Path absolute = target.toAbsolutePath();
    return new PendingFile(
        absolute, absolute.resolveSibling("." + absolute.getFileName() + "." + UUID.randomUUID() + ".tmp"));
  }

  FileChannel channel() {
    return channel;
  }

  /** Brings the bytes to the disk and gives the file its name. */
  void commit() throws IOException {
    channel.force(true);
    channel.close();
    Files.move(temporary, target, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
  }

  @Override
  public void close() throws IOException {
    channel.close();
    Files.deleteIfExists(temporary);
  }
}
