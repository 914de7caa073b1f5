package dev.graft.match;

import dev.graft.graph.GraphNode;
import dev.graft.graph.ModelGraph;
import dev.graft.graph.Use;
import dev.graft.graph.Value;
import dev.graft.match.Cut.Finding;
import dev.graft.match.PackedNames.Part;
import dev.graft.match.TargetModule.Kind;
import dev.graft.match.TargetModule.Role;
import dev.graft.onnx.StoredTensor;
import dev.graft.tensor.Shape;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Optional;
import java.util.SequencedMap;

/** The modules of a model that low-rank pairs can be made for. */
public final class TargetModules {

  private static final int MAX_STEPS = 16;

  private final SiteIndex index;
  private final CutReader cuts;
  private final SequencedMap<String, TargetModule> modules = new LinkedHashMap<>();
  private final SequencedMap<String, TargetModule> parts = new LinkedHashMap<>();

  private TargetModules(SiteIndex index) {
    this.index = index;
    this.cuts = new CutReader(index.graph());
    index.sites().forEach(this::add);
    // Where a module runs several times, TorchScript numbers all calls but the first.
    modules
        .keySet()
        .removeIf(name -> !RepeatedCalls.unnumbered(name).equals(name) && isFurtherCall(name));
  }

  /** Finds all modules. */
  public static TargetModules of(SiteIndex index) {
    return new TargetModules(index);
  }

  /** The modules that the file has, in the graph's order. */
  public List<TargetModule> all() {
    return List.copyOf(modules.values());
  }

  /** Modules that the file packs into others of {@link #all}, where their widths are known. */
  public List<TargetModule> packed() {
    return parts.values().stream().filter(part -> !modules.containsKey(part.name())).toList();
  }

  private boolean isFurtherCall(String name) {
    String first = RepeatedCalls.unnumbered(name);
    return index.named(name).stream()
        .anyMatch(
            site -> index.named(first).stream().anyMatch(other -> other.tensor() == site.tensor()));
  }

  private void add(Site site) {
    Optional<Kind> kind = kind(site);
    List<SiteName> names = site.names();
    if (kind.isEmpty() || names.isEmpty()) {
      return;
    }
    String name =
        names.stream()
            .filter(n -> n.rule() == NameRule.GENAI)
            .findFirst()
            .orElse(names.getFirst())
            .module();
    boolean isAttention = AttentionOps.projects(site.node());
    if (!isAttention) {
      modules.putIfAbsent(
          name,
          new TargetModule(
              name, kind.get(), shape(site), role(site), stored(site, OutputRange.ALL)));
    }
    if (kind.get() == Kind.LINEAR) {
      addParts(site, isAttention ? PackedNames.within(name) : PackedNames.aliases(name));
    }
  }

  private void addParts(Site site, List<String> names) {
    for (String name : names) {
      Optional<Part> part = PackedNames.part(name);
      if (part.isPresent()
          && cuts.read(List.of(site), part.get().kind()) instanceof Finding.Known(Cut cut)) {
        OutputRange range = cut.part(part.get().position());
        Shape shape = Shape.of(range.count(), site.layout().in(site.shape()));
        parts.putIfAbsent(
            name, new TargetModule(name, Kind.LINEAR, shape, Role.INNER, stored(site, range)));
      }
    }
  }

  private static TargetModule.Stored stored(Site site, OutputRange range) {
    return new TargetModule.Stored(site.tensor(), site.layout(), site.alpha(), range);
  }

  /**
   * How many values the model's parameters have: weights of modules, each tensor once and quantised
   * ones by what they stand for, biases and norms. What an exporter stores twice counts twice.
   */
  public long parameterCount() {
    IdentityHashMap<StoredTensor, Long> counts = new IdentityHashMap<>();
    index.sites().forEach(site -> counts.put(site.tensor(), site.shape().elements()));
    vectors().values().forEach(tensor -> counts.putIfAbsent(tensor, tensor.shape().elements()));
    return counts.values().stream().mapToLong(Long::longValue).sum();
  }

  /**
   * Stored vectors that are called like a module's parameter, by that name: biases and norms'
   * scales.
   */
  public SequencedMap<String, StoredTensor> vectors() {
    SequencedMap<String, StoredTensor> vectors = new LinkedHashMap<>();
    for (String name : index.parameterNames()) {
      if (name.endsWith(".weight") || name.endsWith(".bias")) {
        index.parameter(name).stream()
            .flatMap(value -> ModelGraph.stored(value).stream())
            .filter(tensor -> tensor.shape().rank() == 1 && tensor.dtype().isFoldable())
            .findFirst()
            .ifPresent(tensor -> vectors.put(name, tensor));
      }
    }
    return vectors;
  }

  private static Optional<Kind> kind(Site site) {
    return switch (site.kind()) {
      case LINEAR -> Optional.of(Kind.LINEAR);
      case EMBEDDING -> Optional.of(Kind.EMBEDDING);
      case CONV ->
          site.node().intAttribute("group", 1) == 1 ? Optional.of(Kind.CONV) : Optional.empty();
      case QUANTISED -> {
        boolean looksUp = site.node().operator().equals("Gather");
        yield QuantisedProducts.isOpen(site)
            ? Optional.of(looksUp ? Kind.EMBEDDING : Kind.LINEAR)
            : Optional.empty();
      }
    };
  }

  private static Shape shape(Site site) {
    boolean isMatrix = site.shape().rank() == 2;
    return isMatrix && site.layout() == Layout.IN_OUT ? site.shape().transposed() : site.shape();
  }

  /** Follows a product through what only adds a bias or changes its form. */
  private Role role(Site site) {
    ModelGraph graph = index.graph();
    Optional<Value> at = site.node().output().map(output -> new Value(site.node().scope(), output));
    for (int i = 0; at.isPresent() && i < MAX_STEPS; i++) {
      if (graph.leaves(at.get())) {
        return Role.HEAD;
      }
      List<Use> uses = graph.uses(at.get());
      at =
          uses.size() == 1 && handsOn(uses.getFirst().node())
              ? uses.getFirst()
                  .node()
                  .output()
                  .map(output -> new Value(uses.getFirst().node().scope(), output))
              : Optional.empty();
    }
    return Role.INNER;
  }

  private static boolean handsOn(GraphNode node) {
    return switch (node.operator()) {
      case "Identity", "Cast", "Reshape", "Squeeze" -> true;
      case "Add", "Mul" ->
          List.of(0, 1).stream()
              .map(node::input)
              .flatMap(Optional::stream)
              .flatMap(input -> node.scope().resolve(input).stream())
              .anyMatch(value -> ModelGraph.stored(value).isPresent());
      default -> false;
    };
  }
}
