package dev.graft.match;

import dev.graft.graph.GraphNode;
import dev.graft.graph.ModelGraph;
import dev.graft.graph.Scope;
import dev.graft.graph.Value;
import dev.graft.onnx.StoredTensor;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.IdentityHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Optional;
import java.util.SequencedMap;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** All sites of a model by name, all named parameters, and which tensors lie on the same bytes. */
public final class SiteIndex {

  private final ModelGraph graph;
  private final SiteNames names;
  private final SharedBytes sharedBytes;
  private final EqualBytes bytes;
  private final List<Site> sites;
  private final NavigableMap<String, List<Site>> byModule = new TreeMap<>();
  private final NavigableMap<String, Set<StoredTensor>> weightsByNodeName = new TreeMap<>();
  private final Map<String, List<Site>> byUnnumbered = new HashMap<>();
  private final IdentityHashMap<StoredTensor, List<Site>> byTensor = new IdentityHashMap<>();
  private final NavigableMap<String, Set<Value>> parameters = new TreeMap<>();
  private final Set<GraphNode> products = new HashSet<>();
  private @Nullable ModuleNodes nodes;

  private SiteIndex(ModelGraph graph) {
    this.graph = graph;
    this.names = new SiteNames(graph);
    this.sharedBytes = new SharedBytes(graph.model());
    this.bytes = new EqualBytes(graph.model());
    this.sites = SiteFinder.find(graph, names);
    sites.forEach(this::index);
    indexParameters();
  }

  /**
   * Finds all sites of a model.
   *
   * @throws dev.graft.error.UnsupportedException if its functions call each other without end
   */
  public static SiteIndex of(ModelGraph graph) {
    return new SiteIndex(graph);
  }

  /** The graph. */
  public ModelGraph graph() {
    return graph;
  }

  /** Every site, in the graph's order. */
  public List<Site> sites() {
    return sites;
  }

  /** How nodes and weights are named. */
  SiteNames names() {
    return names;
  }

  /** Which tensors lie on the same bytes. */
  SharedBytes sharedBytes() {
    return sharedBytes;
  }

  /** Compares stored weights. */
  EqualBytes bytes() {
    return bytes;
  }

  /** The sites that may be called so. */
  List<Site> named(String module) {
    return byModule.getOrDefault(module, List.of());
  }

  /** The sites on a stored weight. */
  List<Site> on(StoredTensor tensor) {
    return byTensor.getOrDefault(tensor, List.of());
  }

  /** The sites whose nodes belong to modules of this name but for numbers after its parts. */
  List<Site> numberedLike(String module) {
    return byUnnumbered.getOrDefault(RepeatedCalls.unnumbered(module), List.of());
  }

  /** The sites of modules inside another, under the names that say so. */
  SequencedMap<String, List<Site>> within(String module) {
    return Collections.unmodifiableSequencedMap(
        byModule.subMap(module + ".", module + (char) ('.' + 1)));
  }

  /** The nodes by module; few adapters ask for them. */
  ModuleNodes nodes() {
    ModuleNodes known = nodes;
    if (known == null) {
      known = new ModuleNodes(graph, names);
      nodes = known;
    }
    return known;
  }

  /** Whether a value is the product of a weight to which nothing has been added yet. */
  boolean isBareProduct(Value value) {
    return value
        .scope()
        .producer(value.name())
        .filter(n -> products.contains(n) && n.input(2).isEmpty())
        .isPresent();
  }

  /** Every module name of every site. */
  Collection<String> modules() {
    return Collections.unmodifiableSet(byModule.keySet());
  }

  /** The weights whose operators say that they belong to a module or to one inside it. */
  Set<StoredTensor> weightsWithin(String module) {
    Set<StoredTensor> weights = Collections.newSetFromMap(new IdentityHashMap<>());
    weights.addAll(weightsByNodeName.getOrDefault(module, Set.of()));
    weightsByNodeName
        .subMap(module + ".", module + (char) ('.' + 1))
        .values()
        .forEach(weights::addAll);
    return weights;
  }

  /** The stored values of this very name. */
  List<Value> parameter(String name) {
    return List.copyOf(parameters.getOrDefault(name, Set.of()));
  }

  /** Names of all stored values, in order. */
  Collection<String> parameterNames() {
    return Collections.unmodifiableSet(parameters.keySet());
  }

  /** Whether some stored value is called like a parameter of a module or of one inside it. */
  boolean hasParameterWithin(String module) {
    String next = parameters.ceilingKey(module + ".");
    return next != null && next.startsWith(module + ".");
  }

  private void index(Site site) {
    for (String module : new HashSet<>(site.names().stream().map(SiteName::module).toList())) {
      byModule.computeIfAbsent(module, k -> new ArrayList<>()).add(site);
    }
    for (String module : site.nodeNames()) {
      weightsByNodeName
          .computeIfAbsent(module, k -> Collections.newSetFromMap(new IdentityHashMap<>()))
          .add(site.tensor());
    }
    for (String module :
        new HashSet<>(site.nodeNames().stream().map(RepeatedCalls::unnumbered).toList())) {
      byUnnumbered.computeIfAbsent(module, k -> new ArrayList<>()).add(site);
    }
    byTensor.computeIfAbsent(site.tensor(), t -> new ArrayList<>()).add(site);
    if (site.kind() != Site.Kind.EMBEDDING) {
      products.add(site.node());
    }
  }

  private void indexParameters() {
    for (Scope scope : graph.scopes()) {
      scope.initializerNames().forEach(n -> addParameter(new Value(scope, n)));
    }
    for (GraphNode node : graph.nodes()) {
      Optional<String> output = node.output();
      if (output.isPresent()
          && (node.operator().equals("Identity") || node.operator().equals("Constant"))) {
        addParameter(new Value(node.scope(), output.get()));
      }
    }
  }

  private void addParameter(Value value) {
    parameters.computeIfAbsent(value.name(), k -> new LinkedHashSet<>()).add(value);
  }
}
