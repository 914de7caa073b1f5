package dev.graft.cli;

import dev.graft.adapter.AdapterSpec;
import dev.graft.adapter.PeftAdapter;
import dev.graft.cli.MergeRun.Effort;
import dev.graft.error.UsageException;
import dev.graft.fold.InPlaceUpdate;
import dev.graft.fold.MergeRequest;
import dev.graft.fold.MergeRequest.Repeat;
import dev.graft.fold.RestoredBase;
import dev.graft.fold.ThinBase;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Puts another adapter in the place of the one that was merged last. */
@Command(
    name = "switch",
    customSynopsis = {
      "graft switch -m MERGED -a DIR[:WEIGHT] (-o OUT|--in-place [--force]) [--with DIR]",
      "                    [--prefix FROM=TO] [--map FILE] [--tied active|peft-merge]",
      "                    [--no-undo|--undo-without-adapter] [--report FILE] [--threads N] [--json] [--quiet]"
    },
    aliases = "switch-adapter",
    description =
        "Takes the adapter that was merged last out of a model and merges another one, in one pass: the output"
            + " is, byte for byte, what a merge of the other adapter into the base gives, and the base is not"
            + " needed. What was taken out is proved by the SHA-256 of the base's tensors. A thin model (merge"
            + " --share-base) is switched by a thin merge of the other adapter into the base that is under it.",
    footer = {
      "  graft switch -m reviews.onnx -a adapters/questions -o questions.onnx",
      "  graft switch -m reviews.onnx -a adapters/questions:0.5 -o half.onnx",
      "  graft switch -m model.onnx -a adapters/questions --in-place"
    })
final class SwitchCommand extends Verb {

  @Option(
      names = {"-m", "--model"},
      required = true,
      paramLabel = "MERGED",
      description = "The merged model, with its undo record beside it, or a thin one.")
  private Path model = Path.of("");

  @Option(
      names = {"-a", "--adapter", "--adapter-path"},
      required = true,
      paramLabel = "DIR[:WEIGHT]",
      description =
          "The adapter to merge instead. The weight (default 1) is a factor on its change.")
  private String adapter = "";

  @Option(
      names = {"-o", "--output", "--output-path"},
      paramLabel = "OUT",
      description = "The .onnx file to write; data files and the new undo record go beside it.")
  private Optional<Path> output = Optional.empty();

  @Mixin private InPlaceOptions place = new InPlaceOptions();

  @Option(
      names = "--with",
      paramLabel = "DIR",
      description =
          "The adapter that is in the model; needed only where its undo record was written without its tensors.")
  private Optional<Path> merged = Optional.empty();

  @Mixin private NameOptions names = new NameOptions();

  @Mixin private UndoOptions undo = new UndoOptions();

  @Mixin private WorkOptions work = new WorkOptions();

  SwitchCommand(Screen screen) {
    super(screen);
  }

  @Override
  int execute() {
    int threads = work.threads();
    Path target = place.output(output, model);
    ReportFile.requireApart(work.report(), target);
    AdapterSpec spec = AdapterSpec.parse(adapter);
    Optional<Path> under = ThinBase.pathUnder(model);
    MergeRequest request =
        new MergeRequest(
            under.orElse(model),
            spec.path(),
            spec.weight(),
            target,
            names.toOptions(),
            Repeat.REFUSED);
    if (under.isPresent()) {
      return switchThin(request, threads);
    }
    return place.execute(model, update -> execute(update, request, threads));
  }

  private int execute(Optional<InPlaceUpdate> update, MergeRequest apart, int threads) {
    MergeRequest request = update.isPresent() ? apart.inPlace() : apart;
    try (RestoredBase base = RestoredBase.open(model, merged.map(PeftAdapter::open))) {
      MergeRun planned = MergeRun.planned(request, base);
      warn(planned.warnings());
      try (ReportFile file = ReportFile.begin(work.report(), planned.plan().inputs())) {
        Effort effort = new Effort("switching", threads, undo.policy());
        MergeRun run = MergeRun.done(planned, update, this, effort);
        MergeReport whole = work.reports(List.of(run), this).getFirst();
        file.write(whole);
        print(whole, () -> MergeText.print(screen().out(), whole));
      }
    }
    return Failure.OK;
  }

  /** The base is there itself, so there is nothing to take out. */
  private int switchThin(MergeRequest request, int threads) {
    if (merged.isPresent()) {
      throw new UsageException(
          model + ": is a thin model on " + request.model() + "; --with is of no use for it");
    }
    if (place.isInPlace()) {
      throw new UsageException(
          model
              + ": is a thin model, a small file that is written anew; give -o, which may be its own path");
    }
    undo.requireNoRecord();
    List<MergeRun> planned = MergeRun.planned(List.of(request));
    planned.forEach(MergeRun::requirePlaceForThin);
    warn(planned.getFirst().warnings());
    try (ReportFile file = ReportFile.begin(work.report(), planned.getFirst().plan().inputs())) {
      MergeReport whole = work.reports(MergeRun.thin(planned, this, threads), this).getFirst();
      file.write(whole);
      print(whole, () -> MergeText.print(screen().out(), whole));
    }
    return Failure.OK;
  }
}
