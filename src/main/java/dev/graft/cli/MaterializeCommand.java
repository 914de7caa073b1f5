package dev.graft.cli;

import dev.graft.fold.Materialize;
import dev.graft.fold.ThinBase;
import java.nio.file.Path;
import java.util.List;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Makes a thin model stand alone. */
@Command(
    name = "materialize",
    customSynopsis = {
      "graft materialize -m THIN -o FULL [--report FILE] [--threads N] [--json] [--quiet]"
    },
    description =
        "Makes a thin model, as merge --share-base writes it, stand alone: the output is, byte for byte, what"
            + " an ordinary merge into the base writes without its undo record. The base must be the one that the"
            + " thin model was made from; what the thin model holds itself is proved by its SHA-256.",
    footer = {"  graft materialize -m reviews.onnx -o reviews-full/model.onnx"})
final class MaterializeCommand extends Verb {

  @Option(
      names = {"-m", "--model"},
      required = true,
      paramLabel = "THIN",
      description = "The thin model, with its base where it was.")
  private Path model = Path.of("");

  @Option(
      names = {"-o", "--output", "--output-path"},
      required = true,
      paramLabel = "FULL",
      description = "The .onnx file to write; data files go beside it.")
  private Path output = Path.of("");

  @Mixin private WorkOptions work = new WorkOptions();

  MaterializeCommand(Screen screen) {
    super(screen);
  }

  @Override
  int execute() {
    int threads = work.threads();
    ReportFile.requireApart(work.report(), output);
    long started = System.nanoTime();
    try (ThinBase thin = ThinBase.open(model);
        ReportFile file = ReportFile.begin(work.report(), thin.inputs())) {
      Materialize.Result done;
      try (ProgressBar bar = progress("materializing", thin.bytes())) {
        done = new Materialize(thin, output, bar).run(threads);
      }
      double seconds = (System.nanoTime() - started) / 1e9;
      MaterializeReport whole =
          MaterializeReport.of(
              new MaterializeReport.Request(model, output),
              done,
              work.written(beside(done.output()), this, done.bytes()),
              seconds);
      file.write(whole);
      print(whole, () -> whole.table().print(screen().out(), ""));
    }
    return Failure.OK;
  }

  /** The files, named the way the output was given. */
  private List<Path> beside(List<Path> written) {
    return written.stream().map(f -> output.resolveSibling(f.getFileName())).toList();
  }
}
