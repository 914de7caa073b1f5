package dev.graft.cli;

import dev.graft.error.FormatException;
import dev.graft.io.Journal;
import java.nio.file.Files;
import java.nio.file.Path;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** Finishes an update in place that was stopped. */
@Command(
    name = "recover",
    customSynopsis = "graft recover -m MODEL [--json] [--quiet]",
    description =
        "Finishes an update in place that a crash or a power cut has stopped. Every verb does so when it opens"
            + " the model; this one does nothing else, for a start script that opens the model by itself.",
    footer = "  graft recover -m model.onnx")
final class RecoverCommand extends Verb {

  @Option(
      names = {"-m", "--model"},
      required = true,
      paramLabel = "MODEL",
      description = "The model that was being changed.")
  private Path model = Path.of("");

  RecoverCommand(Screen screen) {
    super(screen);
  }

  /**
   * What was done.
   *
   * @param schema version of the report
   * @param verb the verb
   * @param tool name and version of the program
   * @param model the model as it was given
   * @param recovered whether there was anything to finish
   */
  record Report(int schema, String verb, String tool, String model, boolean recovered) {}

  @Override
  int execute() {
    if (!Files.exists(model)) {
      throw new FormatException(model + ": no such file");
    }
    boolean recovered = Journal.settle(model);
    Report report =
        new Report(Json.SCHEMA, "recover", MergeRun.tool(), model.toString(), recovered);
    String done = recovered ? "the update was finished" : "nothing to finish";
    print(report, () -> screen().out().println(model + ": " + done));
    return Failure.OK;
  }
}
