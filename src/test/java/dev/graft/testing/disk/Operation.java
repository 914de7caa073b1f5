package dev.graft.testing.disk;

import java.nio.ByteBuffer;

/**
 * Something that was done to the files of a folder. A file has a number of its own, whatever its
 * names are.
 */
sealed interface Operation {

  /** Something done to the bytes of a file, lost in a power cut until the file is forced. */
  sealed interface OfBytes extends Operation {

    /** Which file. */
    int file();
  }

  /** Something done to the names in the folder, lost in a power cut until the folder is forced. */
  sealed interface OfNames extends Operation {}

  /**
   * Bytes were written.
   *
   * @param position of the first one in the file
   * @param bytes read-only
   */
  record Write(int file, long position, ByteBuffer bytes) implements OfBytes {}

  /** A file was cut off. */
  record Truncate(int file, long length) implements OfBytes {}

  /** Everything that was done to the bytes of a file so far is on the disk. */
  record Force(int file) implements Operation {}

  /** An empty file was made. */
  record Create(String name, int file) implements OfNames {}

  /** A file got another name, in place of the one that may have had it. */
  record Rename(String from, String to, int file) implements OfNames {}

  /** A file lost its name. */
  record Delete(String name, int file) implements OfNames {}

  /** Everything that was done to the names so far is on the disk. */
  record ForceFolder() implements Operation {}
}
