package dev.graft.match;

import dev.graft.graph.ModelGraph;
import dev.graft.graph.Scope;
import dev.graft.graph.Value;
import dev.graft.match.WeightReaders.Leaf;
import dev.graft.onnx.StoredTensor;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Finds the stored tensors of parameters that an adapter targets directly. */
final class ExpertWeights {

  private final SiteIndex index;
  private final RepeatedCalls calls;
  private final WeightReaders readers;
  private final Contraction contraction;

  ExpertWeights(SiteIndex index, RepeatedCalls calls) {
    this.index = index;
    this.calls = calls;
    this.readers = new WeightReaders(index.graph());
    this.contraction = new Contraction(index.graph());
  }

  /** What is known of a weight's origin. */
  enum Origin {
    /** It has the parameter's own name, so it lies there as PyTorch keeps it. */
    PARAMETER(NameRule.INITIALIZER),
    /** The exporter made it of the parameter, perhaps the other way round. */
    FOLDED(NameRule.FOLDED_FROM),
    /** It has no name, so the exporter turned it. */
    ANONYMOUS(NameRule.NODE_PATH);

    private final NameRule rule;

    Origin(NameRule rule) {
      this.rule = rule;
    }

    NameRule rule() {
      return rule;
    }
  }

  /**
   * A stored weight.
   *
   * @param parameter the parameter's name within its module; empty if it has none in the file
   * @param spots where it is stored, all with the same values
   * @param origin what is known of its origin
   * @param contraction how it is turned by the products that read it
   */
  record Weight(
      Optional<String> parameter, List<Spot> spots, Origin origin, Optional<Layout> contraction) {
    StoredTensor tensor() {
      return spots.getFirst().tensor();
    }
  }

  /** The weights of a module's parameters, in the order of the file. */
  List<Weight> of(String module, List<String> parameters) {
    List<Weight> found = new ArrayList<>();
    for (String parameter : parameters) {
      String name = module + "." + parameter;
      List<Value> own = index.parameter(name);
      List<Value> values = own.isEmpty() ? foldedFrom(name) : own;
      Origin origin = own.isEmpty() ? Origin.FOLDED : Origin.PARAMETER;
      weight(values, module, origin)
          .map(w -> new Weight(Optional.of(parameter), w.spots(), w.origin(), w.contraction()))
          .ifPresent(found::add);
    }
    if (found.size() < parameters.size()) {
      found.addAll(anonymous(module));
    }
    List<StoredTensor> order = index.graph().model().tensors();
    found.sort((a, b) -> Integer.compare(order.indexOf(a.tensor()), order.indexOf(b.tensor())));
    return found;
  }

  private Optional<Weight> weight(List<Value> values, String module, Origin origin) {
    List<Spot> spots = new ArrayList<>();
    for (Value value : values) {
      Optional<StoredTensor> stored = ModelGraph.stored(value);
      if (stored.isPresent() && (spots.isEmpty() || isCopy(stored.get(), spots))) {
        spots.add(
            Spot.of(
                stored.get(),
                value,
                readers.reach(value).leaves().stream()
                    .filter(l -> index.names().ofNode(l.reading()).isEmpty() || belongs(l, module))
                    .map(Leaf::reading)
                    .distinct()
                    .toList()));
      }
    }
    return spots.isEmpty()
        ? Optional.empty()
        : Optional.of(
            new Weight(
                Optional.empty(),
                spots,
                origin,
                contraction.of(spots.getFirst().roots().getFirst())));
  }

  private boolean isCopy(StoredTensor tensor, List<Spot> spots) {
    return index.bytes().same(tensor, spots.getFirst().tensor());
  }

  private List<Value> foldedFrom(String parameter) {
    List<Value> values = new ArrayList<>();
    for (Scope scope : index.graph().scopes()) {
      for (String name : scope.initializerNames()) {
        Value value = new Value(scope, name);
        if (SiteNames.origin(value).filter(parameter::equals).isPresent()) {
          values.add(value);
        }
      }
    }
    return values;
  }

  /** Weights without a name of their own that nodes of the module read. */
  private List<Weight> anonymous(String module) {
    List<Weight> found = new ArrayList<>();
    for (Scope scope : index.graph().scopes()) {
      for (String name : scope.initializerNames()) {
        Value value = new Value(scope, name);
        int rank = scope.initializer(name).map(t -> t.shape().rank()).orElse(0);
        if ((rank == 2 || rank == 3)
            && name.indexOf('.') < 0
            && SiteNames.origin(value).isEmpty()
            && readers.reach(value).leaves().stream().anyMatch(l -> belongs(l, module))) {
          weight(List.of(value), module, Origin.ANONYMOUS).ifPresent(found::add);
        }
      }
    }
    return found;
  }

  /** Whether a reader says that it belongs to a module. */
  private boolean belongs(Leaf leaf, String module) {
    return index.names().ofNode(leaf.reading()).stream()
        .anyMatch(s -> calls.isWithin(s.module(), module));
  }
}
