package dev.graft.cli;

import dev.graft.train.ArtifactsOptions;
import dev.graft.train.ArtifactsWriter;
import dev.graft.train.ArtifactsWriter.Written;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.List;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Writes the files that ONNX Runtime Training takes in any language. */
@Command(
    name = "artifacts",
    customSynopsis = {
      "graft artifacts -m MODEL --task TASK --init-adapter DIR -o DIR [--optim NAME] [--weight-decay X] [--json]"
    },
    description =
        "Writes training_model.onnx, eval_model.onnx, optimizer_model.onnx and checkpoint for people who train"
            + " with ONNX Runtime from C++, C# or Python. Frozen weights stay in the base's files where DIR is"
            + " the base's folder or above it; elsewhere they are copied. A step is fed the model's inputs,"
            + " labels, label_rows (the places of labelled rows among batch x length; labels holds theirs) and"
            + " loss_scale (1 / labels of all batches of an optimizer step).",
    footer = {"  graft artifacts -m model.onnx --task causal-lm --init-adapter start/ -o ."})
final class ArtifactsCommand extends Verb {

  @Mixin private StartOptions start = new StartOptions();

  @Option(
      names = {"-o", "--output", "--output-dir"},
      required = true,
      paramLabel = "DIR",
      description = "The folder for the files.")
  private Path output = Path.of("");

  @Mixin private LossOptions loss = new LossOptions();
  @Mixin private RuleOptions rule = new RuleOptions();
  @Mixin private MemoryOptions memory = new MemoryOptions();

  ArtifactsCommand(Screen screen) {
    super(screen);
  }

  @Override
  int execute() {
    Written written =
        ArtifactsWriter.write(
            new ArtifactsOptions(
                start.model(),
                start.adapter(),
                start.names(),
                loss.toLoss(),
                rule.toRule(),
                rule.weightDecay(),
                memory.toActivations(),
                output));
    warn(written.warnings());
    Report report =
        new Report(
            Json.SCHEMA,
            name(),
            start.model().toString(),
            written.files().stream().map(FileEntry::of).toList(),
            written.copiedBytes(),
            written.trainableParameters(),
            written.inputs(),
            written.nodes());
    print(report, () -> text(report));
    return Failure.OK;
  }

  /**
   * What was written.
   *
   * @param schema version of the report
   * @param verb the verb
   * @param model the base
   * @param files all files
   * @param copiedBytes bytes of frozen weights that had to be copied
   * @param trainableParameters values that are trained
   * @param inputs what a training step must be fed, in order
   * @param nodes nodes of the training graph
   */
  record Report(
      int schema,
      String verb,
      String model,
      List<FileEntry> files,
      long copiedBytes,
      long trainableParameters,
      List<String> inputs,
      int nodes) {}

  private void text(Report report) {
    PrintWriter out = screen().out();
    report
        .files()
        .forEach(file -> out.println(file.path() + "  " + Figures.count(file.bytes()) + " bytes"));
    out.println(Figures.count(report.trainableParameters()) + " values are trained");
    out.println("a step is fed " + String.join(", ", report.inputs()));
    out.println(
        report.copiedBytes() == 0
            ? "frozen weights stay where they are"
            : Figures.count(report.copiedBytes()) + " bytes of frozen weights were copied");
  }
}
