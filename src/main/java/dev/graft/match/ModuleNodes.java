package dev.graft.match;

import dev.graft.graph.GraphNode;
import dev.graft.graph.ModelGraph;
import dev.graft.graph.Use;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** The nodes by the module that they say they belong to. */
final class ModuleNodes {

  private final Map<String, List<Named>> byUnnumbered = new HashMap<>();

  private record Named(GraphNode node, String module) {}

  ModuleNodes(ModelGraph graph, SiteNames names) {
    for (GraphNode node : graph.nodes()) {
      names.ofNode(new Reading(new Use(node, 0), List.of())).stream()
          .map(SiteName::module)
          .distinct()
          .forEach(module ->
              byUnnumbered
                  .computeIfAbsent(RepeatedCalls.unnumbered(module), m -> new ArrayList<>())
                  .add(new Named(node, module)));
    }
  }

  /**
   * The nodes of a module, in the graph's order, without those of the modules inside it.
   *
   * @param calls tells further calls of the module from other modules
   */
  List<GraphNode> of(String module, RepeatedCalls calls) {
    return byUnnumbered.getOrDefault(RepeatedCalls.unnumbered(module), List.of()).stream()
        .filter(n -> calls.isModule(n.module(), module))
        .map(Named::node)
        .distinct()
        .toList();
  }
}
