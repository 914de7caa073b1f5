package dev.graft.match;

import dev.graft.graph.GraphNode;
import dev.graft.graph.ModelGraph;
import dev.graft.graph.Value;
import dev.graft.onnx.StoredTensor;
import dev.graft.tensor.TensorSource;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.Comparator;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

/** All sites of a model by name, all named parameters, and which tensors lie on the same bytes. */
public final class SiteIndex {

  private final ModelGraph graph;
  private final List<Site> sites;
  private final Map<String, List<Site>> byModule = new HashMap<>();
  private final Map<String, List<Value>> parameters = new HashMap<>();
  private final Set<StoredTensor> overlapping = Collections.newSetFromMap(new IdentityHashMap<>());

  private SiteIndex(ModelGraph graph) {
    this.graph = graph;
    this.sites = SiteFinder.find(graph);
    for (Site site : sites) {
      site.names().stream()
          .map(SiteName::module)
          .distinct()
          .forEach(m -> byModule.computeIfAbsent(m, k -> new ArrayList<>()).add(site));
    }
    indexParameters();
    findOverlaps();
  }

  /** Finds all sites of a model. */
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

  /** The sites that may be called so. */
  List<Site> named(String module) {
    return byModule.getOrDefault(module, List.of());
  }

  /** Every module name of every site. */
  Collection<String> modules() {
    return byModule.keySet();
  }

  /** The stored values of this very name. */
  List<Value> parameter(String name) {
    return parameters.getOrDefault(name, List.of());
  }

  /** Names of all stored values. */
  Collection<String> parameterNames() {
    return new TreeSet<>(parameters.keySet());
  }

  /** Whether another tensor of the file lies on some of the same bytes. */
  boolean sharesBytes(StoredTensor tensor) {
    return overlapping.contains(tensor);
  }

  private void indexParameters() {
    graph.main().initializerNames().forEach(n -> addParameter(new Value(graph.main(), n)));
    for (GraphNode node : graph.nodes()) {
      Optional<String> output = node.output();
      if (output.isPresent()
          && (node.operator().equals("Identity") || node.operator().equals("Constant"))) {
        addParameter(new Value(node.scope(), output.get()));
      } else if (node.scope() != graph.main()) {
        node.inputs().stream()
            .filter(n -> node.scope().initializer(n).isPresent())
            .forEach(n -> addParameter(new Value(node.scope(), n)));
      }
    }
  }

  private void addParameter(Value value) {
    List<Value> same = parameters.computeIfAbsent(value.name(), k -> new ArrayList<>());
    if (!same.contains(value)) {
      same.add(value);
    }
  }

  private void findOverlaps() {
    List<StoredTensor> placed =
        graph.model().tensors().stream()
            .filter(t -> t.source().filter(s -> s.length() > 0).isPresent())
            .sorted(
                Comparator.comparing((StoredTensor t) -> source(t).file())
                    .thenComparingLong(t -> source(t).offset()))
            .toList();
    StoredTensor widest = null;
    for (StoredTensor tensor : placed) {
      boolean overlaps =
          widest != null
              && source(widest).file().equals(source(tensor).file())
              && source(tensor).offset() < source(widest).end();
      if (overlaps && widest != null) {
        overlapping.add(widest);
        overlapping.add(tensor);
      }
      if (!overlaps || widest == null || source(tensor).end() > source(widest).end()) {
        widest = tensor;
      }
    }
  }

  private static TensorSource source(StoredTensor tensor) {
    return tensor.source().orElseThrow();
  }
}
