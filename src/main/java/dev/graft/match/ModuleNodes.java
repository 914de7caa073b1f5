package dev.graft.match;

import dev.graft.graph.GraphNode;
import dev.graft.graph.Use;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** The nodes by the module that they say they belong to, repeated calls of it included. */
final class ModuleNodes {

  private final RepeatedCalls calls;
  private final Map<String, List<Named>> byUnnumbered = new HashMap<>();

  private record Named(GraphNode node, String module) {}

  ModuleNodes(SiteIndex index, RepeatedCalls calls) {
    this.calls = calls;
    for (GraphNode node : index.graph().nodes()) {
      index.names().ofNode(new Reading(new Use(node, 0), List.of())).stream()
          .map(SiteName::module)
          .distinct()
          .forEach(module ->
              byUnnumbered
                  .computeIfAbsent(RepeatedCalls.unnumbered(module), m -> new ArrayList<>())
                  .add(new Named(node, module)));
    }
  }

  /** The nodes of a module, in the graph's order, without those of the modules inside it. */
  List<GraphNode> of(String module) {
    return byUnnumbered.getOrDefault(RepeatedCalls.unnumbered(module), List.of()).stream()
        .filter(n -> calls.isModule(n.module(), module))
        .map(Named::node)
        .distinct()
        .toList();
  }
}
