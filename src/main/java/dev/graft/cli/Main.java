package dev.graft.cli;

import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.PrintWriter;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;

/** The entry point of the {@code graft} command. */
public final class Main {
  private Main() {}

  /**
   * Runs one verb and ends the process with its exit code.
   *
   * @param args the command line, verb first
   */
  public static void main(String[] args) {
    System.exit(GraftCommand.run(screen(), args));
  }

  /**
   * The process's own output. Reports are read by programs, so they are UTF-8 whatever the locale;
   * messages are for the person.
   */
  static Screen screen() {
    return new Screen(
        writer(FileDescriptor.out, StandardCharsets.UTF_8),
        writer(FileDescriptor.err, System.err.charset()),
        ErrorTerminal::isThere);
  }

  private static PrintWriter writer(FileDescriptor to, Charset charset) {
    return new PrintWriter(new FileOutputStream(to), false, charset);
  }
}
