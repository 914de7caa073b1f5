package dev.graft.io;

import dev.graft.error.RuntimeFailure;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.concurrent.locks.ReentrantLock;

/**
 * The files and folders that must not outlive the process unless their output is committed. A
 * shutdown hook removes them on Ctrl-C or SIGTERM; nothing can on SIGKILL or a power cut.
 */
final class Unfinished {

  /**
   * Held while an output is published, so that the hook runs before or after, never in the middle.
   */
  static final ReentrantLock LOCK = new ReentrantLock();

  private static final Deque<Path> NEWEST_FIRST = new ArrayDeque<>();
  private static boolean hooked;
  private static boolean shuttingDown;

  private Unfinished() {}

  /** Takes note of a path that is about to be created. */
  static void add(Path path) {
    LOCK.lock();
    try {
      if (shuttingDown) {
        throw new RuntimeFailure(path + ": not written, because the process is being stopped");
      }
      if (!hooked) {
        Runtime.getRuntime().addShutdownHook(new Thread(Unfinished::removeAll, "graft-clean-up"));
        hooked = true;
      }
      NEWEST_FIRST.addFirst(path);
    } finally {
      LOCK.unlock();
    }
  }

  /** The path is gone or has become part of a committed output. */
  static void forget(Path path) {
    LOCK.lock();
    try {
      NEWEST_FIRST.remove(path);
    } finally {
      LOCK.unlock();
    }
  }

  /** Deletes a file, or a folder if it is empty, and forgets it. */
  static void remove(Path path) {
    try {
      Files.deleteIfExists(path);
    } catch (IOException e) {
      // A folder that others have used meanwhile stays; for a file there is nothing better to do.
    }
    forget(path);
  }

  private static void removeAll() {
    LOCK.lock();
    try {
      shuttingDown = true;
      while (!NEWEST_FIRST.isEmpty()) {
        remove(NEWEST_FIRST.getFirst());
      }
    } finally {
      LOCK.unlock();
    }
  }
}
