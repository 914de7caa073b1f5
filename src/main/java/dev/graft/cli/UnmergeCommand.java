package dev.graft.cli;

import dev.graft.adapter.PeftAdapter;
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
      "graft unmerge -m MERGED -o OUT [-a DIR] [--force] [--report FILE] [--threads N] [--json]",
      "                     [--quiet]"
    },
    aliases = "unmerge-lora",
    description =
        "Takes the adapter that was merged last out of a model, with the record MERGED.undo that merge wrote"
            + " beside it: every byte of the base's files, data files under the base's own names, proved by the"
            + " SHA-256 of all that was touched. The base itself is not needed.",
    footer = {
      "  graft unmerge -m merged.onnx -o base/model.onnx",
      "  graft unmerge -m merged.onnx -o base/model.onnx -a adapter/"
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
      required = true,
      paramLabel = "OUT",
      description = "Where the base's .onnx file is to appear; its data files go beside it.")
  private Path output = Path.of("");

  @Option(
      names = {"-a", "--adapter", "--adapter-path"},
      paramLabel = "DIR",
      description =
          "The adapter that was merged; needed only where the record was written without its tensors.")
  private Optional<Path> adapter = Optional.empty();

  @Option(
      names = "--force",
      description = "Replace files that have the names of the base's data files.")
  private boolean force;

  @Mixin private WorkOptions work = new WorkOptions();

  UnmergeCommand(Screen screen) {
    super(screen);
  }

  @Override
  int execute() {
    int threads = work.threads();
    ReportFile.requireApart(work.report(), output);
    long started = System.nanoTime();
    try (RestoredBase base = RestoredBase.open(model, adapter.map(PeftAdapter::open));
        ReportFile file = ReportFile.begin(work.report(), base.inputs())) {
      Unmerge.Result done;
      try (ProgressBar bar = progress("unmerging", base.bytes())) {
        Existing existing = force ? Existing.REPLACED : Existing.REFUSED;
        done = new Unmerge(base, output, existing, bar).run(threads);
      }
      double seconds = (System.nanoTime() - started) / 1e9;
      UnmergeReport whole =
          UnmergeReport.of(new UnmergeReport.Request(model, output), done, written(done), seconds);
      file.write(whole);
      print(whole, () -> whole.table().print(screen().out(), ""));
    }
    return Failure.OK;
  }

  private List<FileEntry> written(Unmerge.Result done) {
    List<Path> files =
        done.output().stream().map(f -> output.resolveSibling(f.getFileName())).toList();
    return work.written(files, this, done.bytes());
  }
}
