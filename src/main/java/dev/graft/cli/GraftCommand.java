package dev.graft.cli;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.Arrays;
import java.util.List;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Help;
import picocli.CommandLine.MissingParameterException;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;
import picocli.CommandLine.UnmatchedArgumentException;

/** The root command: it does nothing by itself, so without a verb it is a usage error. */
@Command(
    name = "graft",
    mixinStandardHelpOptions = true,
    versionProvider = BuildVersion.class,
    description = "Folds LoRA adapters into ONNX models, or inserts them beside the weights.",
    synopsisHeading = "Usage: ",
    commandListHeading = "%nVerbs:%n",
    exitCodeListHeading = "%nExit codes:%n",
    exitCodeList = {
      "0:done",
      "1:a check did not hold",
      "2:usage: bad options, or the output would overwrite an input",
      "3:bad input: missing or damaged file, or an adapter that does not fit the model",
      "4:valid but not supported",
      "5:failure of the machine or the runtime: disk full, out of memory"
    },
    footer = {
      "",
      "Options may be spelt with hyphens or underscores. 'graft VERB --help' tells more.",
      "",
      "  graft inspect -m model.onnx -a adapter/",
      "  graft merge -m model.onnx -a adapter/ -o merged/model.onnx"
    })
final class GraftCommand implements Runnable {

  private static final int WIDTH = 100;

  @Spec private CommandSpec spec = CommandSpec.create();

  /**
   * Runs a command line.
   *
   * @return the exit code
   */
  static int run(Screen screen, String... args) {
    CommandLine line = new CommandLine(new GraftCommand());
    verbs(screen, args).forEach(line::addSubcommand);
    line.setOut(screen.out());
    line.setErr(screen.err());
    line.setColorScheme(Help.defaultColorScheme(Help.Ansi.OFF));
    line.setUsageHelpWidth(WIDTH);
    line.setExpandAtFiles(false);
    line.setParameterExceptionHandler((thrown, given) -> refuse(screen, thrown, given));
    int code = line.execute(Spelling.hyphenated(args));
    screen.flush();
    return code;
  }

  /** The verb that is asked for, or all: reading the options of all by reflection takes long. */
  private static List<Verb> verbs(Screen screen, String... args) {
    return switch (args.length == 0 ? "" : args[0]) {
      case "inspect" -> List.of(new InspectCommand(screen));
      case "merge" -> List.of(new MergeCommand(screen));
      case "unmerge" -> List.of(new UnmergeCommand(screen));
      case "switch" -> List.of(new SwitchCommand(screen));
      case "materialize" -> List.of(new MaterializeCommand(screen));
      case "recover" -> List.of(new RecoverCommand(screen));
      case "insert" -> List.of(new InsertCommand(screen));
      case "convert" -> List.of(new ConvertCommand(screen));
      case "train" -> List.of(new TrainCommand(screen));
      case "artifacts" -> List.of(new ArtifactsCommand(screen));
      case "verify" -> List.of(new VerifyCommand(screen));
      case "demo" -> List.of(new DemoCommand(screen));
      default ->
          List.of(
              new InspectCommand(screen),
              new MergeCommand(screen),
              new UnmergeCommand(screen),
              new SwitchCommand(screen),
              new MaterializeCommand(screen),
              new RecoverCommand(screen),
              new InsertCommand(screen),
              new ConvertCommand(screen),
              new TrainCommand(screen),
              new ArtifactsCommand(screen),
              new VerifyCommand(screen),
              new DemoCommand(screen));
    };
  }

  private static int refuse(Screen screen, ParameterException thrown, String... args) {
    CommandSpec command = thrown.getCommandLine().getCommandSpec();
    StringWriter suggestion = new StringWriter();
    UnmatchedArgumentException.printSuggestions(thrown, new PrintWriter(suggestion, true));
    String hint = suggestion.toString().isBlank() ? "" : "; " + suggestion.toString().strip();
    Failure failure =
        Failure.ofUsage(
            "%s%s; see '%s --help'".formatted(reason(thrown), hint, command.qualifiedName(" ")));
    if (Arrays.asList(args).contains("--json")) {
      Json.print(screen.out(), new ErrorReport(command.name(), failure));
    }
    screen.say(failure.message());
    return failure.exitCode();
  }

  /** The option's short name says more than the longest of its aliases. */
  private static String reason(ParameterException thrown) {
    if (!(thrown instanceof MissingParameterException missing)) {
      return String.valueOf(thrown.getMessage());
    }
    List<String> names =
        missing.getMissing().stream()
            .filter(OptionSpec.class::isInstance)
            .map(OptionSpec.class::cast)
            .map(option -> option.names()[0] + " " + option.paramLabel())
            .toList();
    return names.isEmpty()
        ? String.valueOf(thrown.getMessage())
        : "missing " + String.join(" and ", names);
  }

  @Override
  public void run() {
    throw new ParameterException(spec.commandLine(), "a verb is missing");
  }
}
