package dev.graft.cli;

import dev.graft.adapter.AdapterSpec;
import dev.graft.adapter.PeftAdapter;
import dev.graft.error.GraftException;
import dev.graft.error.UsageException;
import dev.graft.fold.Background;
import dev.graft.graph.ModelGraph;
import dev.graft.match.Binder;
import dev.graft.match.Binding;
import dev.graft.match.SiteIndex;
import dev.graft.onnx.OnnxModel;
import dev.graft.onnxadapter.OnnxAdapterFile;
import java.nio.file.Path;
import java.util.Optional;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Shows what a model and an adapter hold, and how they fit together. Reads no weights. */
@Command(
    name = "inspect",
    customSynopsis = {
      "graft inspect -m MODEL [--json]",
      "       graft inspect -a DIR [--json]",
      "       graft inspect -a FILE.onnx_adapter [--json]",
      "       graft inspect -m MODEL -a DIR[:WEIGHT] [--prefix FROM=TO] [--map FILE]",
      "                     [--tied active|peft-merge] [--json]"
    },
    description =
        "Shows what a model or an adapter holds; given both, which target of the adapter belongs where and"
            + " by which rule, or why it has no place. Then the exit code is the one that merge would have.",
    footer = {
      "  graft inspect -m model.onnx",
      "  graft inspect -m model.onnx -a adapter/",
      "  graft inspect -m model.onnx -a adapter/ --json"
    })
final class InspectCommand extends Verb {

  @Option(
      names = {"-m", "--model"},
      paramLabel = "MODEL",
      description = "The .onnx file.")
  private Optional<Path> model = Optional.empty();

  @Option(
      names = {"-a", "--adapter", "--adapter-path"},
      paramLabel = "DIR[:WEIGHT]",
      description =
          "The adapter's folder, a checkpoint-N, the safetensors file, or an .onnx_adapter file.")
  private Optional<String> adapter = Optional.empty();

  @Mixin private NameOptions names = new NameOptions();

  InspectCommand(Screen screen) {
    super(screen);
  }

  @Override
  int execute() {
    if (model.isEmpty() && adapter.isEmpty()) {
      throw new UsageException(
          "nothing to inspect: give a model with -m, an adapter with -a, or both");
    }
    if (adapter.filter(a -> a.endsWith(OnnxAdapterFile.SUFFIX)).isPresent()) {
      return inspectFile(Path.of(adapter.get()));
    }
    Optional<AdapterSpec> spec = adapter.map(AdapterSpec::parse);
    Binder.Options options = names.toOptions();
    Optional<Background<Opened>> background =
        spec.map(s -> Background.start(() -> opened(s.path())));
    Optional<SiteIndex> index = model.map(m -> SiteIndex.of(ModelGraph.of(OnnxModel.open(m))));
    Optional<Opened> both = background.map(Background::get);
    Optional<PeftAdapter> opened = both.map(Opened::adapter);
    Optional<Binding> binding = index.flatMap(i -> opened.map(a -> Binder.bind(i, a, options)));
    @Nullable GraftException refusal = binding.isEmpty() ? null : refusal(opened, binding);
    double weight = spec.map(AdapterSpec::weight).orElse(1.0);
    InspectReport report =
        new InspectReport(
            Json.SCHEMA,
            name(),
            index.map(ModelReport::of),
            both.map(Opened::report),
            Optional.empty(),
            binding.map(b -> BindingReport.of(b, weight)),
            Optional.ofNullable(refusal).map(Failure::of));
    print(report, () -> new InspectText(screen().out()).print(report));
    return refusal == null ? Failure.OK : told(refusal);
  }

  private int inspectFile(Path file) {
    if (model.isPresent()) {
      throw new UsageException(
          file
              + ": an .onnx_adapter has lost the names that are bound to a model; inspect it alone, or give the folder that it was made of");
    }
    OnnxAdapterReport found = OnnxAdapterReport.of(file);
    InspectReport report =
        new InspectReport(
            Json.SCHEMA,
            name(),
            Optional.empty(),
            Optional.empty(),
            Optional.of(found),
            Optional.empty(),
            Optional.empty());
    print(report, () -> OnnxAdapterReport.print(screen().out(), found));
    return Failure.OK;
  }

  /** An adapter and what there is to say of it. */
  private record Opened(PeftAdapter adapter, AdapterReport report) {}

  /** Only machines are told the hash, for which every byte has to be read. */
  private Opened opened(Path path) {
    PeftAdapter adapter = PeftAdapter.open(path);
    return new Opened(
        adapter, isJson() ? AdapterReport.hashed(adapter) : AdapterReport.of(adapter));
  }

  /** The report lists every miss already, so the message need not. */
  private int told(GraftException refusal) {
    Failure failure = Failure.of(refusal);
    String plain =
        failure
            .message()
            .lines()
            .filter(line -> !line.startsWith("  "))
            .collect(Collectors.joining(System.lineSeparator()));
    tell(new Failure(failure.exitCode(), failure.kind(), plain), refusal);
    return failure.exitCode();
  }

  /** What merge would say of the two. */
  private static @Nullable GraftException refusal(
      Optional<PeftAdapter> adapter, Optional<Binding> binding) {
    try {
      adapter.ifPresent(PeftAdapter::requireFoldable);
      binding.ifPresent(Binding::requireComplete);
      return null;
    } catch (GraftException e) {
      return e;
    }
  }
}
