package dev.graft.cli;

import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/** The root command: it does nothing by itself, so without a verb it is a usage error. */
@Command(
    name = "graft",
    mixinStandardHelpOptions = true,
    versionProvider = BuildVersion.class,
    description = "Folds LoRA adapters into ONNX models.")
final class GraftCommand implements Runnable {
  @Spec private CommandSpec spec = CommandSpec.create();

  @Override
  public void run() {
    throw new CommandLine.ParameterException(spec.commandLine(), "a verb is missing");
  }
}
