package dev.graft.match;

import dev.graft.graph.GraphNode;
import dev.graft.graph.ModelGraph;
import dev.graft.graph.Use;
import dev.graft.graph.Value;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.EnumSet;
import java.util.HashSet;
import java.util.Optional;
import java.util.Set;

/**
 * Tells from what becomes of a value whether it is an attention's query, key or value: the query is
 * the left and the key the right of the product under the Softmax, the value the right of the one
 * behind it.
 */
final class AttentionRoles {

  /** In the order in which packed weights hold them. */
  enum Role {
    QUERY("query"),
    KEY("key"),
    VALUE("value");

    private final String label;

    Role(String label) {
      this.label = label;
    }

    /** How messages call it. */
    String label() {
      return label;
    }

    /** The role of an operator's input, or of a part of a packed weight. */
    static Role at(int place) {
      return values()[place];
    }
  }

  /** An attention's arithmetic is a few dozen nodes. */
  private static final int MAX_STEPS = 512;

  private final ModelGraph graph;

  AttentionRoles(ModelGraph graph) {
    this.graph = graph;
  }

  /** The role of a value; empty if it has none, or several. */
  Optional<Role> of(Value value) {
    Set<Role> roles = EnumSet.noneOf(Role.class);
    Deque<Value> open = new ArrayDeque<>(Set.of(value));
    Set<Value> seen = new HashSet<>(open);
    while (!open.isEmpty() && seen.size() < MAX_STEPS) {
      for (Use use : graph.uses(open.removeFirst())) {
        GraphNode node = use.node();
        if (AttentionOps.takesProjected(node) && use.input() < Role.values().length) {
          roles.add(Role.at(use.input()));
        } else if (isProduct(node)) {
          inProduct(use).ifPresent(roles::add);
        } else if (carries(node, use.input())) {
          outputs(node).stream().filter(seen::add).forEach(open::addLast);
        }
      }
    }
    return roles.size() == 1 ? roles.stream().findFirst() : Optional.empty();
  }

  private Optional<Role> inProduct(Use use) {
    if (leadsToSoftmax(use.node())) {
      return Optional.of(use.input() == 0 ? Role.QUERY : Role.KEY);
    }
    return use.input() == 1 && comesFromSoftmax(use.node())
        ? Optional.of(Role.VALUE)
        : Optional.empty();
  }

  private boolean leadsToSoftmax(GraphNode product) {
    Deque<Value> open = new ArrayDeque<>(outputs(product));
    Set<Value> seen = new HashSet<>(open);
    while (!open.isEmpty() && seen.size() < MAX_STEPS) {
      for (Use use : graph.uses(open.removeFirst())) {
        if (use.node().operator().equals("Softmax")) {
          return true;
        }
        if (carries(use.node(), use.input()) || use.node().operator().equals("Where")) {
          outputs(use.node()).stream().filter(seen::add).forEach(open::addLast);
        }
      }
    }
    return false;
  }

  private static boolean comesFromSoftmax(GraphNode product) {
    Deque<GraphNode> open = new ArrayDeque<>(producers(product));
    Set<GraphNode> seen = new HashSet<>(open);
    while (!open.isEmpty() && seen.size() < MAX_STEPS) {
      GraphNode node = open.removeFirst();
      if (node.operator().equals("Softmax")) {
        return true;
      }
      if (carries(node, 0) || node.operator().equals("Where")) {
        producers(node).stream().filter(seen::add).forEach(open::addLast);
      }
    }
    return false;
  }

  /** Who makes the first input, or, where several inputs are alike, any of them. */
  private static Set<GraphNode> producers(GraphNode node) {
    Set<GraphNode> producers = new HashSet<>();
    int inputs = isProduct(node) ? 1 : node.inputs().size();
    for (int i = 0; i < inputs; i++) {
      node.input(i)
          .flatMap(node.scope()::resolve)
          .flatMap(v -> v.scope().producer(v.name()))
          .ifPresent(producers::add);
    }
    return producers;
  }

  private static Set<Value> outputs(GraphNode node) {
    Set<Value> outputs = new HashSet<>();
    for (String name : node.part().proto().getOutputList()) {
      outputs.add(new Value(node.scope(), name));
    }
    return outputs;
  }

  private static boolean isProduct(GraphNode node) {
    return node.operator().equals("MatMul")
        || node.operator().equals("com.microsoft.FusedMatMul")
        || node.operator().equals("com.microsoft.TransposeMatMul");
  }

  /** Whether a node only moves, scales, shifts or turns the value of an input. */
  private static boolean carries(GraphNode node, int input) {
    return switch (node.operator()) {
      case "Add", "Sub", "Mul", "Concat" -> true;
      case "Div",
          "Neg",
          "Cast",
          "Identity",
          "Reshape",
          "Transpose",
          "Unsqueeze",
          "Squeeze",
          "Expand",
          "Gather",
          "Slice",
          "Split",
          "Dropout",
          "RotaryEmbedding",
          "com.microsoft.RotaryEmbedding",
          "LayerNormalization",
          "RMSNormalization",
          "SimplifiedLayerNormalization",
          "com.microsoft.SimplifiedLayerNormalization" ->
          input == 0;
      default -> false;
    };
  }
}
