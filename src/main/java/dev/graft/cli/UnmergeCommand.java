package dev.graft.cli;

import dev.graft.adapter.PeftAdapter;
import dev.graft.fold.InPlaceUpdate;
import dev.graft.fold.RestoredBase;
import dev.graft.fold.Unmerge;
import dev.graft.fold.Unmerge.Existing;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Takes the last merge out of a model. */
@Command(
    name = "unmerge",
    customSynopsis = {
      "graft unmerge -m MERGED (-o OUT|--in-place) [-a DIR] [--force] [--report FILE] [--threads N]",
      "                     [--json] [--quiet]"
    },
    aliases = "unmerge-lora",
    description =
        "Takes the adapter that was merged last out of a model, with the record MERGED.undo that merge wrote"
            + " beside it: every byte of the base's files, data files under the base's own names, proved by the"
            + " SHA-256 of all that was touched. The base itself is not needed.",
    footer = {
      "  graft unmerge -m merged.onnx -o base/model.onnx",
      "  graft unmerge -m merged.onnx -o base/model.onnx -a adapter/",
      "  graft unmerge -m model.onnx --in-place"
    })
final class UnmergeCommand extends Verb {

  @Option(
      names = {"-m", "--model"},
      required = true,
      paramLabel = "MERGED",
      description = "The merged model, with its undo record beside it.")
  private Path model = Path.of("");

  @Option(
      names = {"-o", "--output", "--output-path"},
      paramLabel = "OUT",
      description = "Where the base's .onnx file is to appear; its data files go beside it.")
  private Optional<Path> given = Optional.empty();

  @Option(
      names = {"-a", "--adapter", "--adapter-path"},
      paramLabel = "DIR",
      description =
          "The adapter that was merged; needed only where the record was written without its tensors.")
  private Optional<Path> adapter = Optional.empty();

  @Mixin private InPlaceOptions place = new InPlaceOptions();

  @Mixin private WorkOptions work = new WorkOptions();

  UnmergeCommand(Screen screen) {
    super(screen);
  }

  @Override
  int execute() {
    int threads = work.threads();
    Path output = place.output(given, model);
    ReportFile.requireApart(work.report(), output);
    return place.execute(model, update -> execute(update, output, threads));
  }

  private int execute(Optional<InPlaceUpdate> update, Path output, int threads) {
    long started = System.nanoTime();
    try (RestoredBase base = RestoredBase.open(model, adapter.map(PeftAdapter::open));
        ReportFile file = ReportFile.begin(work.report(), base.inputs())) {
      Unmerge.Result done;
      try (ProgressBar bar = progress("unmerging", base.bytes())) {
        Existing existing = place.isForced() ? Existing.REPLACED : Existing.REFUSED;
        Unmerge unmerge = new Unmerge(base, output, existing, bar);
        done =
            update.map(right -> unmerge.run(right, threads)).orElseGet(() -> unmerge.run(threads));
      }
      double seconds = (System.nanoTime() - started) / 1e9;
      List<Path> files =
          done.output().stream().map(f -> output.resolveSibling(f.getFileName())).toList();
      UnmergeReport whole =
          UnmergeReport.of(
              new UnmergeReport.Request(model, output),
              done,
              work.written(files, this, done.bytes()),
              seconds);
      file.write(whole);
      print(whole, () -> whole.table().print(screen().out(), ""));
    }
    return Failure.OK;
  }
}
