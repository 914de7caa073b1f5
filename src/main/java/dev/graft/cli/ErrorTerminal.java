package dev.graft.cli;

import java.io.Console;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/** Whether standard error is a terminal, for which Java itself has no question. */
final class ErrorTerminal {

  private static final Path LINK = Path.of("/proc/self/fd/2");

  private ErrorTerminal() {}

  static boolean isThere() {
    try {
      return isTerminal(Files.readSymbolicLink(LINK).toString());
    } catch (IOException | UnsupportedOperationException e) {
      // No such folder on this system: a console has standard input and output on a terminal, and
      // then standard error is nearly always there too.
      return Optional.ofNullable(System.console()).filter(Console::isTerminal).isPresent();
    }
  }

  /** Whether the file behind a descriptor is a terminal, by its name. */
  static boolean isTerminal(String device) {
    return device.startsWith("/dev/pts/")
        || device.startsWith("/dev/tty")
        || device.equals("/dev/console");
  }
}
