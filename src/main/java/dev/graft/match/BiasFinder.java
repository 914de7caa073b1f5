package dev.graft.match;

import dev.graft.graph.GraphNode;
import dev.graft.graph.Use;
import dev.graft.graph.Value;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Finds what a module adds to its product, where the tensor has lost its name. */
final class BiasFinder {

  private final SiteIndex index;
  private final RepeatedCalls calls;
  private final WeightTracer tracer;

  BiasFinder(SiteIndex index, RepeatedCalls calls) {
    this.index = index;
    this.calls = calls;
    this.tracer = new WeightTracer(index.graph());
  }

  /**
   * The ways to the biases of a module's sites: the third input of a Gemm or Conv, or what the
   * module's own Add behind a MatMul adds.
   *
   * @return one for each site; empty if any site has none
   */
  List<WeightPath> find(List<Site> sites, String module) {
    List<WeightPath> found = new ArrayList<>();
    for (Site site : sites) {
      Optional<WeightPath> bias =
          adder(site, module).stream()
              .flatMap(u -> tracer.trace(u.node(), u.input()).stream())
              .filter(p -> p.calls().isEmpty() || p.calls().equals(site.reading().calls()))
              .filter(p -> p.tensor().shape().rank() == 1)
              .findFirst();
      if (bias.isEmpty()) {
        return List.of();
      }
      found.add(bias.get());
    }
    return found;
  }

  private Optional<Use> adder(Site site, String module) {
    GraphNode node = site.node();
    return switch (node.operator()) {
      case "Gemm", "com.microsoft.FusedGemm", "Conv" -> Optional.of(new Use(node, 2));
      case "com.microsoft.Attention", "com.microsoft.PackedAttention" ->
          Optional.of(new Use(node, 2));
      default -> addBehind(node, module);
    };
  }

  private Optional<Use> addBehind(GraphNode node, String module) {
    List<Use> readers =
        node.output().map(o -> index.graph().uses(new Value(node.scope(), o))).orElse(List.of());
    return readers.size() == 1 && isAddOf(readers.getFirst().node(), module)
        ? Optional.of(other(readers.getFirst()))
        : Optional.empty();
  }

  private static Use other(Use product) {
    return new Use(product.node(), 1 - product.input());
  }

  private boolean isAddOf(GraphNode node, String module) {
    List<SiteName> says = index.names().ofNode(new Reading(new Use(node, 0), List.of()));
    return node.operator().equals("Add")
        && (says.isEmpty() || says.stream().anyMatch(s -> isOf(s, module)));
  }

  private boolean isOf(SiteName name, String module) {
    return calls.isWithin(name.module(), module)
        || SiteNames.genai(name).filter(n -> calls.isWithin(n.module(), module)).isPresent();
  }
}
