package dev.graft.cli;

import java.io.PrintWriter;
import java.util.function.BooleanSupplier;

/**
 * Where a verb writes.
 *
 * @param out reports
 * @param err messages and progress
 * @param errIsTerminal whether somebody watches {@code err}; asked only once there is progress to
 *     show
 */
record Screen(PrintWriter out, PrintWriter err, BooleanSupplier errIsTerminal) {

  /** Writes a message at once. */
  void say(String message) {
    err.println("graft: " + Visible.message(message));
    err.flush();
  }

  void flush() {
    out.flush();
    err.flush();
  }
}
