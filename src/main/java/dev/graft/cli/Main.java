package dev.graft.cli;

import picocli.CommandLine;

/** The entry point of the {@code graft} command. */
public final class Main {
  private Main() {}

  /**
   * Runs one verb and ends the process with its exit code.
   *
   * @param args the command line, verb first
   */
  public static void main(String[] args) {
    System.exit(new CommandLine(new GraftCommand()).execute(args));
  }
}
