package dev.graft.cli;

import dev.graft.adapter.AdapterSpec;
import dev.graft.cli.MergeRun.Effort;
import dev.graft.error.UnsupportedException;
import dev.graft.error.UsageException;
import dev.graft.fold.InPlaceUpdate;
import dev.graft.fold.MergeRequest;
import dev.graft.fold.MergeRequest.Repeat;
import dev.graft.fold.UndoPolicy;
import dev.graft.inject.FreshAdapter;
import dev.graft.inject.HeldAdapter;
import dev.graft.io.Provisional;
import dev.graft.match.Binder;
import dev.graft.onnx.OnnxModel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import java.util.function.UnaryOperator;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Folds an adapter into a model. */
@Command(
    name = "merge",
    customSynopsis = {
      "graft merge -m MODEL -a DIR[:WEIGHT] (-o OUT|--in-place [--force]) [--prefix FROM=TO]",
      "                   [--map FILE] [--again] [--tied active|peft-merge] [--no-undo|--undo-without-adapter]",
      "                   [--dry-run] [--share-base] [--report FILE] [--threads N] [--json] [--quiet]",
      "       graft merge -m MODEL -m MODEL … -a DIR[:WEIGHT] -o FOLDER …",
      "       graft merge -m MODEL_WITH_BRANCHES -o OUT [--no-undo] …"
    },
    aliases = "merge-lora",
    description =
        "Folds a LoRA adapter into an ONNX model: the same nodes in the same order, with W + s·B·A in place of"
            + " W. What the graph lacks, such as a bias that the exporter left out, is added, and the report says"
            + " so. Without -a the branches that the model holds itself are folded into its weights and taken out;"
            + " those are known that `insert` made, and products x·A·B added to x·W as other exporters write them."
            + " Beside the output lies a record, OUT.onnx.undo, with which unmerge gives back every byte of the"
            + " base. The output appears whole or not at all, and without --in-place no input is ever written. With"
            + " --share-base the output is a thin model: its weights lie in the base's own files, and only what the"
            + " merge changes in a new one.",
    footer = {
      "  graft merge -m model.onnx -a adapter/ -o merged/model.onnx",
      "  graft merge -m model.onnx -a adapter/:0.5 -o half.onnx --report half.json",
      "  graft merge -m model.onnx -a adapter/ --in-place",
      "  graft merge -m model.onnx -a adapter/ -o merged.onnx --prefix =model. --dry-run",
      "  graft merge -m branches.onnx -o folded.onnx",
      "  graft merge -m model.onnx -a adapter/ -o reviews.onnx --share-base",
      "  graft merge -m encoder_model.onnx -m decoder_model.onnx -a adapter/ -o merged/"
    })
final class MergeCommand extends Verb {

  @Option(
      names = {"-m", "--model"},
      required = true,
      paramLabel = "MODEL",
      description =
          "The base, an .onnx file with or without external data. Given several times for a model in several"
              + " files, such as an encoder and its decoders.")
  private List<Path> models = List.of();

  @Option(
      names = {"-a", "--adapter", "--adapter-path"},
      paramLabel = "DIR[:WEIGHT]",
      description =
          "The adapter as PEFT saves it: the folder, a checkpoint-N or the safetensors file. The weight"
              + " (default 1) is a factor on its change. Without one the model's own branches are folded.")
  private List<String> adapters = List.of();

  @Option(
      names = {"-o", "--output", "--output-path"},
      paramLabel = "OUT",
      description =
          "The .onnx file to write; data files go beside it. The folder, where -m is given several times.")
  private Optional<Path> output = Optional.empty();

  @Mixin private InPlaceOptions place = new InPlaceOptions();

  @Mixin private NameOptions names = new NameOptions();

  @Option(names = "--again", description = "Fold in an adapter that the model holds already.")
  private boolean again;

  @Option(names = "--dry-run", description = "Check and bind everything, write no model.")
  private boolean dryRun;

  @Option(
      names = "--share-base",
      description =
          "Write a thin model that points into the base's files and holds only what changes. OUT lies in the"
              + " base's folder or above it; no undo record is written, the base is there itself.")
  private boolean shareBase;

  @Mixin private UndoOptions undo = new UndoOptions();

  @Mixin private WorkOptions work = new WorkOptions();

  MergeCommand(Screen screen) {
    super(screen);
  }

  @Override
  int execute() {
    if (place.isInPlace() && models.size() > 1) {
      throw new UsageException("--in-place takes one model; change one after the other");
    }
    if (place.isInPlace() && shareBase) {
      throw new UsageException(
          "--in-place and --share-base exclude each other: a thin model is a file beside its base");
    }
    return adapters.isEmpty() ? foldOwn() : merge(requests(), MergeRun::planned);
  }

  /** The adapter that the model holds is written out for as long as it takes to merge it. */
  private int foldOwn() {
    if (models.size() > 1) {
      throw new UsageException(
          "without -a the branches of one model are folded, but -m is given "
              + models.size()
              + " times");
    }
    if (place.isInPlace()) {
      throw new UnsupportedException(
          "without -a the branches are taken out of the graph, and in place keeps the layout: write a new file with -o");
    }
    if (shareBase) {
      throw new UnsupportedException(
          "without -a the branches are taken out of the graph of the model itself; --share-base needs an adapter (-a) and a base without it");
    }
    if (undo.policy() == UndoPolicy.WITHOUT_ADAPTER) {
      throw new UsageException(
          "--undo-without-adapter: an adapter that the model holds as branches lies nowhere else, so the undo record has to hold it; --no-undo writes none");
    }
    HeldAdapter held = HeldAdapter.of(OnnxModel.open(models.getFirst()));
    Path folder = held.folder(Path.of(System.getProperty("java.io.tmpdir")));
    try (Provisional _ = Provisional.of(FreshAdapter.files(folder))) {
      MergeRequest request =
          new MergeRequest(
              models.getFirst(),
              folder,
              1,
              outputs().getFirst(),
              names.toOptions(),
              Repeat.ALLOWED);
      return merge(List.of(request), _ -> List.of(MergeRun.planned(request, held)));
    }
  }

  private int merge(
      List<MergeRequest> requests, Function<List<MergeRequest>, List<MergeRun>> planner) {
    int threads = work.threads();
    requests.forEach(request -> ReportFile.requireApart(work.report(), request.output()));
    return dryRun
        ? execute(planner.apply(requests), runs -> runs)
        : place.execute(
            models.getFirst(),
            update -> execute(planner.apply(requests), runs -> done(runs, update, threads)));
  }

  private int execute(List<MergeRun> planned, UnaryOperator<List<MergeRun>> doing) {
    if (shareBase) {
      undo.requireNoRecord();
      planned.forEach(MergeRun::requirePlaceForThin);
    }
    warn(planned.stream().flatMap(run -> run.warnings().stream()).distinct().toList());
    try (ReportFile file = ReportFile.begin(work.report(), taken(planned))) {
      if (dryRun) {
        // A merge sees this while it reads the tensors.
        planned.getFirst().plan().adapter().requireFinite();
      }
      List<MergeReport> done = work.reports(doing.apply(planned), this);
      Record whole = done.size() == 1 ? done.getFirst() : MergeSetReport.of(done);
      file.write(whole);
      print(whole, () -> done.forEach(report -> MergeText.print(screen().out(), report)));
    }
    return Failure.OK;
  }

  private List<MergeRun> done(List<MergeRun> planned, Optional<InPlaceUpdate> update, int threads) {
    if (shareBase) {
      return MergeRun.thin(planned, this, threads);
    }
    Effort effort = new Effort("merging", threads, undo.policy());
    return update.isPresent()
        ? List.of(MergeRun.done(planned.getFirst(), update, this, effort))
        : MergeRun.done(planned, this, effort);
  }

  /** Files that the report must not take the name of. */
  private List<Path> taken(List<MergeRun> planned) {
    List<Path> taken = new ArrayList<>();
    for (MergeRun run : planned) {
      taken.addAll(run.plan().inputs());
      taken.add(run.plan().request().output());
    }
    names.mapFile().ifPresent(taken::add);
    return taken;
  }

  private List<MergeRequest> requests() {
    if (adapters.size() > 1) {
      throw new UnsupportedException(
          "-a is given "
              + adapters.size()
              + " times; several adapters at once are not supported yet: merge one, then merge the next"
              + " into the result");
    }
    AdapterSpec adapter = AdapterSpec.parse(adapters.getFirst());
    Binder.Options options = names.toOptions();
    List<Path> outputs = outputs();
    List<MergeRequest> requests = new ArrayList<>();
    for (int i = 0; i < models.size(); i++) {
      MergeRequest apart =
          new MergeRequest(
              models.get(i),
              adapter.path(),
              adapter.weight(),
              outputs.get(i),
              options,
              again ? Repeat.ALLOWED : Repeat.REFUSED);
      requests.add(place.isInPlace() ? apart.inPlace() : apart);
    }
    return requests;
  }

  /** One model has a file as its output; several keep their names in a folder. */
  private List<Path> outputs() {
    Path target = place.output(output, models.getFirst());
    return models.size() == 1 ? List.of(target) : outputs(target);
  }

  private List<Path> outputs(Path folder) {
    if (Files.exists(folder) && !Files.isDirectory(folder)) {
      throw new UsageException(
          folder + ": is a file; several models are written into a folder, under their own names");
    }
    List<Path> outputs =
        models.stream().map(m -> folder.resolve(String.valueOf(m.getFileName()))).toList();
    if (Set.copyOf(outputs).size() < outputs.size()) {
      throw new UsageException(
          "two of the models have one file name; merge them into different folders");
    }
    return outputs;
  }
}
