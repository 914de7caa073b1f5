package dev.graft.cli;

import dev.graft.adapter.AdapterSpec;
import dev.graft.adapter.PeftAdapter;
import dev.graft.error.UsageException;
import dev.graft.fold.Rewrite;
import dev.graft.graph.ModelGraph;
import dev.graft.inject.AdapterName;
import dev.graft.inject.FreshAdapter;
import dev.graft.inject.Injection;
import dev.graft.inject.SlotSettings;
import dev.graft.io.OutputGuard;
import dev.graft.io.Provisional;
import dev.graft.match.Prefix;
import dev.graft.onnx.OnnxModel;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Puts an adapter's branches beside the weights of a model. */
@Command(
    name = "insert",
    customSynopsis = {
      "graft insert -m MODEL -a DIR -o OUT [--adapter-name NAME] [--prefix FROM=TO] [--map FILE]",
      "                    [--as initializers|inputs] [--max-r R] [--threads N] [--json] [--quiet]",
      "       graft insert -m MODEL --target-modules LIST --r N --lora-alpha X -o OUT …"
    },
    description =
        "Puts a LoRA adapter's branches into an ONNX model: W·x + s·B(A·x), with W, A, B and s apart. The base's"
            + " weights stay as they are; what the adapter replaces whole, such as a head, takes its place. The"
            + " output appears whole or not at all, and no input is ever written.",
    footer = {
      "  graft insert -m model.onnx -a adapter/ -o branches.onnx",
      "  graft insert -m model.onnx -a adapter/ --as inputs -o slots.onnx",
      "  graft insert -m model.onnx --target-modules q_proj,v_proj --r 16 --lora-alpha 32 -o start.onnx"
    })
final class InsertCommand extends Verb {

  @Option(
      names = {"-m", "--model"},
      required = true,
      paramLabel = "MODEL",
      description = "The base, an .onnx file with or without external data.")
  private Path model = Path.of("");

  @Option(
      names = {"-a", "--adapter", "--adapter-path"},
      paramLabel = "DIR",
      description =
          "The adapter as PEFT saves it: the folder, a checkpoint-N or the safetensors file.")
  private Optional<String> adapter = Optional.empty();

  @Mixin private FreshOptions fresh = new FreshOptions();

  @Option(
      names = {"-o", "--output", "--output-path"},
      required = true,
      paramLabel = "OUT",
      description = "The .onnx file to write; data files go beside it.")
  private Path output = Path.of("");

  @Option(
      names = "--adapter-name",
      paramLabel = "NAME",
      description =
          "What tells the adapter from others in the same model; with none its initializers are called as"
              + " PEFT's tensors are.")
  private String adapterName = AdapterName.DEFAULT.value();

  @Mixin private SlotOptions slots = new SlotOptions();

  @Mixin private NameOptions names = new NameOptions();

  @Option(
      names = "--threads",
      paramLabel = "N",
      description = "Threads that copy; the output does not depend on it.")
  private int threads = MergeRun.defaultThreads();

  InsertCommand(Screen screen) {
    super(screen);
  }

  @Override
  int execute() {
    long started = System.nanoTime();
    if (threads < 1) {
      throw new UsageException("--threads is " + threads + ", expected 1 or more");
    }
    if (adapter.isPresent() == fresh.isSet()) {
      throw new UsageException(
          "give either an adapter (-a DIR) or what a new one is for (--target-modules LIST)");
    }
    Optional<String> idle = adapter.flatMap(_ -> fresh.given());
    if (idle.isPresent()) {
      throw new UsageException(
          idle.get() + " shapes a new adapter (--target-modules LIST); the one of -a is as it is");
    }
    AdapterName name = new AdapterName(adapterName);
    Optional<SlotSettings> settings = slots.settings(name);
    OnnxModel base = OnnxModel.open(model);
    FreshAdapter maker =
        new FreshAdapter(ModelGraph.of(base), names.toOptions().prefix().orElse(Prefix.NONE));
    InsertReport.Done done;
    try (Provisional made = Provisional.of(newFiles())) {
      PeftAdapter opened = adapter.map(InsertCommand::given).orElseGet(() -> made(maker, base));
      Injection injection =
          settings.isPresent()
              ? Injection.ofSlots(base, opened, names.toOptions(), settings.get())
              : Injection.of(base, opened, names.toOptions(), name);
      List<String> warnings = new ArrayList<>(opened.warnings());
      warnings.addAll(injection.binding().warnings());
      warn(warnings);
      done = new InsertReport.Done(injection, write(injection), maker.baseParameters());
      made.keep();
    }
    print(started, done);
    return Failure.OK;
  }

  private void print(long started, InsertReport.Done done) {
    String from = done.injection().adapter().path().toString();
    InsertReport report =
        InsertReport.of(
            new InsertReport.Request(model.toString(), from, output.toString(), adapterName),
            done,
            (System.nanoTime() - started) / 1e9);
    print(report, () -> InsertText.print(screen().out(), report));
  }

  /** A new adapter goes again if its model does not come about. */
  private List<Path> newFiles() {
    return fresh.isSet() ? FreshAdapter.files(fresh.folder(output)) : List.of();
  }

  private static PeftAdapter given(String adapter) {
    AdapterSpec spec = AdapterSpec.parse(adapter);
    if (spec.weight() != 1) {
      throw new UsageException(
          adapter + ": a branch has the adapter's own strength; a weight goes with merge only");
    }
    return PeftAdapter.open(spec.path());
  }

  /** The model's place is looked at first, so that a slip of the pen costs no work. */
  private PeftAdapter made(FreshAdapter maker, OnnxModel base) {
    List<Path> inputs = new ArrayList<>(base.dataFiles().values());
    inputs.add(model);
    OutputGuard.check(inputs, output);
    return maker.write(fresh.config(maker), fresh.folder(output), fresh.seed());
  }

  private Rewrite.Written write(Injection injection) {
    try (ProgressBar bar = progress("inserting", bytes(injection))) {
      return injection.write(MergeRun.tool(), new Rewrite.Output(output, threads, bar));
    }
  }

  private static long bytes(Injection injection) {
    OnnxModel base = injection.graph().model();
    return base.fileLength()
        + base.dataFiles().values().stream().mapToLong(file -> FileEntry.of(file).bytes()).sum();
  }
}
