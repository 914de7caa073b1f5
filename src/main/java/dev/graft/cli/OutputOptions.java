package dev.graft.cli;

import picocli.CommandLine.Option;

/** What every verb says, and to whom. */
final class OutputOptions {

  @Option(
      names = "--json",
      description = "Print the report as one JSON document on standard output.")
  private boolean json;

  @Option(
      names = {"-q", "--quiet"},
      description = "Print nothing but errors, and the JSON if asked for.")
  private boolean quiet;

  @Option(names = "--debug", description = "Print the stack trace of an error.")
  private boolean debug;

  boolean isJson() {
    return json;
  }

  boolean isQuiet() {
    return quiet;
  }

  boolean isDebug() {
    return debug;
  }
}
