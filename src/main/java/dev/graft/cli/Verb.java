package dev.graft.cli;

import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/** What all verbs have in common: one message for an error, one report, progress. */
@Command(
    mixinStandardHelpOptions = true,
    versionProvider = BuildVersion.class,
    synopsisHeading = "Usage: ",
    descriptionHeading = "%n",
    optionListHeading = "%nOptions:%n",
    footerHeading = "%nExamples:%n",
    showEndOfOptionsDelimiterInUsageHelp = false)
abstract class Verb implements Callable<Integer> {

  private final Screen screen;
  @Mixin private OutputOptions output = new OutputOptions();
  @Spec private CommandSpec spec = CommandSpec.create();

  Verb(Screen screen) {
    this.screen = screen;
  }

  /**
   * Does the work.
   *
   * @return the exit code
   */
  abstract int execute();

  @Override
  public final Integer call() {
    try {
      return execute();
    } catch (RuntimeException | Error thrown) {
      return fail(thrown);
    }
  }

  private int fail(Throwable thrown) {
    Failure failure = Failure.of(thrown);
    if (output.isJson()) {
      Json.print(screen.out(), new ErrorReport(name(), failure));
    }
    tell(failure, thrown);
    return failure.exitCode();
  }

  /** Says on standard error what went wrong. */
  final void tell(Failure failure, Throwable thrown) {
    screen.flush();
    screen.say(failure.message());
    if (output.isDebug()) {
      thrown.printStackTrace(screen.err());
      screen.err().flush();
    }
  }

  /** Whether the report goes to standard output as JSON. */
  final boolean isJson() {
    return output.isJson();
  }

  /** Whether nothing but errors is to be said. */
  final boolean isQuiet() {
    return output.isQuiet();
  }

  final String name() {
    return spec.name();
  }

  /** Prints a report in the form that was asked for. */
  final void print(Record report, Runnable asText) {
    if (output.isJson()) {
      Json.print(screen.out(), report);
    } else if (!output.isQuiet()) {
      asText.run();
      screen.out().flush();
    }
  }

  /** Says what the user should know but need not act on. */
  final void warn(List<String> warnings) {
    if (!output.isQuiet()) {
      warnings.forEach(warning -> screen.say("warning: " + warning));
    }
  }

  final Screen screen() {
    return screen;
  }

  /**
   * A bar for a job of so many bytes; it shows itself if the job takes long and somebody watches.
   */
  final ProgressBar progress(String what, long bytes) {
    return output.isQuiet()
        ? ProgressBar.hidden()
        : ProgressBar.start(screen, new ProgressBar.Job(what, bytes));
  }
}
