package dev.graft.cli;

import dev.graft.match.Binder;
import java.nio.file.Path;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** What training starts from. */
final class StartOptions {

  @Option(
      names = {"-m", "--model"},
      required = true,
      paramLabel = "MODEL",
      description = "The base, an .onnx file with or without external data.")
  private Path model = Path.of("");

  @Option(
      names = "--init-adapter",
      required = true,
      paramLabel = "DIR",
      description = "The adapter that training starts from, as PEFT saves it.")
  private Path adapter = Path.of("");

  @Mixin private NameOptions names = new NameOptions();

  Path model() {
    return model;
  }

  Path adapter() {
    return adapter;
  }

  Binder.Options names() {
    return names.toOptions();
  }
}
