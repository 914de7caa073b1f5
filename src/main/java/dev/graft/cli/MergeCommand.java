package dev.graft.cli;

import dev.graft.adapter.AdapterSpec;
import dev.graft.error.UnsupportedException;
import dev.graft.error.UsageException;
import dev.graft.fold.Merge;
import dev.graft.fold.MergeRequest;
import dev.graft.fold.MergeRequest.Repeat;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Folds an adapter into a model. */
@Command(
    name = "merge",
    customSynopsis = {
      "graft merge -m MODEL -a DIR[:WEIGHT] -o OUT [--prefix FROM=TO] [--map FILE] [--again]",
      "                   [--dry-run] [--report FILE] [--threads N] [--json] [--quiet]"
    },
    aliases = "merge-lora",
    description =
        "Folds a LoRA adapter into an ONNX model: the same nodes in the same order, with W + s·B·A in place of"
            + " W. The output appears whole or not at all, and no input is ever written.",
    footer = {
      "  graft merge -m model.onnx -a adapter/ -o merged/model.onnx",
      "  graft merge -m model.onnx -a adapter/:0.5 -o half.onnx --report half.json",
      "  graft merge -m model.onnx -a adapter/ -o merged.onnx --prefix =model. --dry-run"
    })
final class MergeCommand extends Verb {

  @Option(
      names = {"-m", "--model"},
      required = true,
      paramLabel = "MODEL",
      description = "The base, an .onnx file with or without external data.")
  private List<Path> models = List.of();

  @Option(
      names = {"-a", "--adapter", "--adapter-path"},
      paramLabel = "DIR[:WEIGHT]",
      description =
          "The adapter as PEFT saves it: the folder, a checkpoint-N or the safetensors file. The weight"
              + " (default 1) is a factor on its change.")
  private List<String> adapters = List.of();

  @Option(
      names = {"-o", "--output", "--output-path"},
      required = true,
      paramLabel = "OUT",
      description = "The .onnx file to write; data files go beside it.")
  private Path output = Path.of("");

  @Mixin private NameOptions names = new NameOptions();

  @Option(names = "--again", description = "Fold in an adapter that the model holds already.")
  private boolean again;

  @Option(names = "--dry-run", description = "Check and bind everything, write no model.")
  private boolean dryRun;

  @Option(
      names = "--report",
      paramLabel = "FILE",
      description = "Write the JSON report there, with the SHA-256 of every file.")
  private Optional<Path> report = Optional.empty();

  @Option(
      names = "--threads",
      paramLabel = "N",
      description = "Threads that fold and copy; the output does not depend on it.")
  private int threads = MergeRun.defaultThreads();

  MergeCommand(Screen screen) {
    super(screen);
  }

  @Override
  int execute() {
    MergeRequest request = request();
    ReportFile.requireApart(report, output);
    MergeRun planned = MergeRun.planned(request);
    warn(planned.warnings());
    List<Path> taken = new ArrayList<>(planned.plan().inputs());
    taken.add(output);
    names.mapFile().ifPresent(taken::add);
    try (ReportFile file = ReportFile.begin(report, taken)) {
      if (dryRun) {
        // A merge sees this while it reads the tensors.
        planned.plan().adapter().requireFinite();
      }
      MergeRun run = dryRun ? planned : planned.done(this, threads);
      MergeReport done = MergeReport.of(run, name(), files(run));
      file.write(done);
      print(done, () -> MergeText.print(screen().out(), done));
    }
    return Failure.OK;
  }

  private MergeRequest request() {
    if (models.size() > 1) {
      throw new UnsupportedException(
          "-m is given "
              + models.size()
              + " times; models in several files are not supported yet, merge into each by itself");
    }
    if (adapters.isEmpty()) {
      throw new UnsupportedException(
          "no adapter is given; folding branches that the model holds itself is not supported yet,"
              + " name an adapter with -a");
    }
    if (adapters.size() > 1) {
      throw new UnsupportedException(
          "-a is given "
              + adapters.size()
              + " times; several adapters at once are not supported yet: merge one, then merge the next"
              + " into the result");
    }
    if (threads < 1) {
      throw new UsageException("--threads is " + threads + ", expected 1 or more");
    }
    AdapterSpec adapter = AdapterSpec.parse(adapters.getFirst());
    return new MergeRequest(
        models.getFirst(),
        adapter.path(),
        adapter.weight(),
        output,
        names.toOptions(),
        again ? Repeat.ALLOWED : Repeat.REFUSED);
  }

  /**
   * The files, with their hashes only where somebody will read them: hashing takes longer than
   * merging.
   */
  private MergeReport.Files files(MergeRun run) {
    List<Path> inputs = run.plan().inputs();
    List<Path> outputs = run.outputs();
    if (report.isEmpty() && !isJson()) {
      return new MergeReport.Files(entries(inputs), entries(outputs));
    }
    long bytes = MergeRun.baseBytes(run.plan()) + run.result().map(Merge.Result::bytes).orElse(0L);
    try (ProgressBar bar = progress("hashing", bytes)) {
      FileHashes hashes = new FileHashes(threads, bar);
      return new MergeReport.Files(hashes.of(inputs), hashes.of(outputs));
    }
  }

  private static List<FileEntry> entries(List<Path> files) {
    return files.stream().map(FileEntry::of).toList();
  }
}
