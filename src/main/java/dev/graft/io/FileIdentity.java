package dev.graft.io;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.Optional;

/**
 * Which file a path really leads to, so that two names of one file are recognised: links are
 * followed, and hard links share the key.
 *
 * @param realPath the path without links, {@code .} or {@code ..}
 * @param key device and inode; empty where the file system has none (Windows)
 */
public record FileIdentity(Path realPath, Optional<Object> key) {

  /** Looks up an existing file, through links. */
  static FileIdentity of(Path existing) throws IOException {
    BasicFileAttributes found = Files.readAttributes(existing, BasicFileAttributes.class);
    return new FileIdentity(existing.toRealPath(), Optional.ofNullable(found.fileKey()));
  }

  /** Looks up a file that is not a link itself. */
  static FileIdentity ofUnlinked(Path existing) throws IOException {
    BasicFileAttributes found =
        Files.readAttributes(existing, BasicFileAttributes.class, LinkOption.NOFOLLOW_LINKS);
    return new FileIdentity(
        existing.toRealPath(LinkOption.NOFOLLOW_LINKS), Optional.ofNullable(found.fileKey()));
  }

  /** Whether both are one file, whatever their names. */
  public boolean isSameFile(FileIdentity other) {
    return realPath.equals(other.realPath) || (key.isPresent() && key.equals(other.key));
  }
}
