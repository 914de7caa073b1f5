package dev.graft.inject;

import dev.graft.adapter.AdapterConfig;
import dev.graft.adapter.ModuleSelection;
import dev.graft.adapter.NewConfig;
import dev.graft.adapter.PeftAdapter;
import dev.graft.error.BindingException;
import dev.graft.error.UnsupportedException;
import dev.graft.error.UsageException;
import dev.graft.graph.ModelGraph;
import dev.graft.inject.FreshFactors.Factors;
import dev.graft.inject.FreshFactors.Initialisation;
import dev.graft.inject.FreshFactors.Sizes;
import dev.graft.io.AtomicOutput;
import dev.graft.match.Prefix;
import dev.graft.match.SiteIndex;
import dev.graft.match.TargetModule;
import dev.graft.match.TargetModule.Kind;
import dev.graft.match.TargetModule.Role;
import dev.graft.match.TargetModules;
import dev.graft.safetensors.SafetensorsWriter;
import dev.graft.tensor.Shape;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;

/**
 * A new adapter for a model: the modules that a configuration targets, and first values for their
 * pairs, written as PEFT's {@code save_pretrained} does.
 */
public final class FreshAdapter {

  /** PEFT's word for every linear layer but the output head. */
  public static final String ALL_LINEAR = "all-linear";

  private static final String CONFIG = "adapter_config.json";
  private static final String WEIGHTS = "adapter_model.safetensors";
  private static final String KEY = "base_model.model.";
  private static final int SHOWN = 40;

  private final ModelGraph graph;
  private final Prefix prefix;
  private final TargetModules modules;
  private final BaseValues base;

  /**
   * Prepares to make adapters.
   *
   * @param graph the base
   * @param prefix how the adapter's names become the file's; modules that it does not reach are
   *     left out
   */
  public FreshAdapter(ModelGraph graph, Prefix prefix) {
    this.graph = graph;
    this.prefix = prefix;
    this.modules = TargetModules.of(SiteIndex.of(graph));
    this.base = new BaseValues(graph.model());
  }

  /** How many values the parameters of the base have. */
  public long baseParameters() {
    return modules.parameterCount();
  }

  /** The names that {@link #ALL_LINEAR} stands for, in the graph's order. */
  public List<String> allLinear() {
    return named(modules.all()).stream()
        .filter(module -> module.kind() == Kind.LINEAR && module.role() == Role.INNER)
        .map(TargetModule::name)
        .toList();
  }

  /**
   * Writes a new adapter.
   *
   * @param config what is targeted and how
   * @param folder where to; it must not hold an adapter
   * @param seed the same seed gives the same values
   * @return the adapter as it is read back
   * @throws dev.graft.error.GraftException if the configuration is wrong or targets nothing; then
   *     nothing is left behind
   */
  public PeftAdapter write(NewConfig config, Path folder, long seed) {
    requireFree(folder);
    String json = config.json();
    AdapterConfig checked = AdapterConfig.parse(folder.resolve(CONFIG), json);
    Initialisation how = Initialisation.parse(checked.initLoraWeights());
    requireKnown(checked, how);
    ModuleSelection selection = ModuleSelection.of(checked);
    List<TargetModule> targets = targets(selection, checked);
    SafetensorsWriter writer = new SafetensorsWriter().metadata("format", "pt");
    FreshFactors factors = new FreshFactors(how, seed);
    targets.forEach(module -> add(writer, module, checked, factors));
    addSaved(writer, checked, selection);
    try (AtomicOutput output = AtomicOutput.begin(folder.resolve(CONFIG))) {
      byte[] bytes = json.getBytes(StandardCharsets.UTF_8);
      output.main().write(MemorySegment.ofArray(bytes), 0);
      writer.write(folder.resolve(WEIGHTS));
      output.commit();
    }
    return PeftAdapter.open(folder);
  }

  /** The files that {@link #write} makes in a folder. */
  public static List<Path> files(Path folder) {
    return List.of(folder.resolve(CONFIG), folder.resolve(WEIGHTS));
  }

  private static void requireFree(Path folder) {
    for (Path file : files(folder)) {
      if (Files.exists(file)) {
        throw new UsageException(
            "%s: holds an adapter already (%s); name a folder for the new one"
                .formatted(folder, file.getFileName()));
      }
    }
  }

  private static void requireKnown(AdapterConfig config, Initialisation how) {
    if (config.useDora() && (how == Initialisation.FALSE || how == Initialisation.ORTHOGONAL)) {
      throw new UnsupportedException(
          "use_dora with init_lora_weights '%s': the magnitudes would need the product of both factors; choose true or gaussian"
              .formatted(config.initLoraWeights()));
    }
  }

  private List<TargetModule> targets(ModuleSelection selection, AdapterConfig config) {
    List<TargetModule> targets =
        new ArrayList<>(
            named(modules.all()).stream().filter(m -> selection.selects(m.name())).toList());
    named(modules.packed()).stream()
        .filter(part -> selection.selects(part.name()))
        .filter(part -> targets.stream().noneMatch(t -> isSameWeight(t, part)))
        .toList()
        .forEach(targets::add);
    if (targets.isEmpty()) {
      throw new BindingException(
          "%s: target_modules %s matches no module; there are %s"
              .formatted(graph.model().path(), config.targetModules(), names()));
    }
    return targets;
  }

  /** A pack that is targeted as a whole needs no pairs for its parts. */
  private static boolean isSameWeight(TargetModule pack, TargetModule part) {
    return pack.stored().tensor() == part.stored().tensor() && pack.stored().outputs().isAll();
  }

  /** The last parts of all names, which are what one targets. */
  private String names() {
    List<String> leaves =
        named(modules.all()).stream()
            .map(m -> m.name().substring(m.name().lastIndexOf('.') + 1))
            .distinct()
            .toList();
    String shown = leaves.stream().limit(SHOWN).collect(Collectors.joining(", "));
    return leaves.isEmpty() ? "none with a name" : leaves.size() > SHOWN ? shown + ", …" : shown;
  }

  private void add(
      SafetensorsWriter writer, TargetModule module, AdapterConfig config, FreshFactors fresh) {
    int rank = config.scaling(module.name()).rank();
    int[] dims = Arrays.stream(module.shape().toArray()).mapToInt(Math::toIntExact).toArray();
    String stem = KEY + (module.name().isEmpty() ? "" : module.name() + ".");
    if (module.kind() == Kind.EMBEDDING) {
      Factors factors = fresh.table(module.name(), new Sizes(rank, dims[0], dims[1]));
      writer.add(stem + "lora_embedding_A", Shape.of(rank, dims[0]), factors.a());
      writer.add(stem + "lora_embedding_B", Shape.of(dims[1], rank), factors.b());
    } else {
      int in = Math.toIntExact(module.shape().elements() / Math.max(1, dims[0]));
      Factors factors = fresh.linear(module.name(), new Sizes(rank, in, dims[0]));
      long[] ofA = module.shape().toArray();
      ofA[0] = rank;
      long[] ofB = new long[dims.length];
      Arrays.fill(ofB, 1);
      ofB[0] = dims[0];
      ofB[1] = rank;
      writer.add(stem + "lora_A.weight", Shape.of(ofA), factors.a());
      writer.add(stem + "lora_B.weight", Shape.of(ofB), factors.b());
    }
    if (config.useDora()) {
      float[] lengths = base.lengths(module);
      writer.add(stem + "lora_magnitude_vector", magnitudes(module, lengths.length), lengths);
    }
  }

  /** PEFT keeps the magnitudes of a convolution with its axes. */
  private static Shape magnitudes(TargetModule module, int count) {
    if (module.kind() != Kind.CONV) {
      return Shape.of(count);
    }
    long[] dims = new long[module.shape().rank()];
    Arrays.fill(dims, 1);
    dims[1] = count;
    return Shape.of(dims);
  }

  private static String parent(String parameter) {
    return parameter.substring(0, Math.max(0, parameter.lastIndexOf('.')));
  }

  /** Modules under the adapter's names. */
  private List<TargetModule> named(List<TargetModule> some) {
    return some.stream()
        .flatMap(module -> prefix.reverse(module.name()).map(module::called).stream())
        .toList();
  }

  private void requireSaved(AdapterConfig config, ModuleSelection selection) {
    for (String name : config.modulesToSave()) {
      if (named(modules.all()).stream().noneMatch(m -> selection.isSavedAs(m.name(), name))) {
        throw new BindingException(
            "%s: modules_to_save '%s' matches no module; there are %s"
                .formatted(graph.model().path(), name, names()));
      }
    }
  }

  /** What is trained whole begins with the base's values. */
  private void addSaved(SafetensorsWriter writer, AdapterConfig config, ModuleSelection selection) {
    requireSaved(config, selection);
    for (TargetModule module : named(modules.all())) {
      if (selection.isSaved(module.name())) {
        float[] weight = base.weight(module);
        writer.add(KEY + module.name() + ".weight", module.shape(), weight);
      }
    }
    modules
        .vectors()
        .forEach((name, tensor) -> {
          Optional<String> inAdapter = prefix.reverse(name);
          if (inAdapter.filter(n -> selection.isSaved(parent(n))).isPresent()) {
            writer.add(KEY + inAdapter.get(), tensor.shape(), base.of(tensor));
          }
        });
  }
}
