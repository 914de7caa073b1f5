package dev.graft.inject;

import dev.graft.graph.GraphNode;
import dev.graft.graph.ModelGraph;
import dev.graft.graph.Use;
import dev.graft.graph.Value;
import dev.graft.onnx.GraphEdit;
import dev.graft.onnx.GraphEdit.RemoveInitializer;
import dev.graft.onnx.GraphEdit.RemoveNode;
import dev.graft.onnx.StoredTensor;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.SequencedSet;
import java.util.Set;

/**
 * Takes nodes out of a graph together with all that only they needed: what made their inputs, and
 * stored tensors that nobody else reads.
 */
final class Removal {

  private final ModelGraph graph;
  private final Set<Use> rewired;
  private final Set<Value> kept;
  private final SequencedSet<GraphNode> nodes = new LinkedHashSet<>();
  private final SequencedSet<StoredTensor> tensors = new LinkedHashSet<>();

  /**
   * Prepares to remove.
   *
   * @param graph the base
   * @param rewired readings that other edits give another value
   * @param kept values that new nodes read
   */
  Removal(ModelGraph graph, Set<Use> rewired, Set<Value> kept) {
    this.graph = graph;
    this.rewired = Set.copyOf(rewired);
    this.kept = Set.copyOf(kept);
  }

  /** Removes nodes whose outputs nobody will read any more. */
  void remove(List<GraphNode> unread) {
    Deque<GraphNode> open = new ArrayDeque<>(unread);
    while (!open.isEmpty()) {
      GraphNode node = open.removeFirst();
      if (nodes.add(node)) {
        for (String input : node.inputs()) {
          release(node, input, open);
        }
      }
    }
  }

  /** Sees whether a value is of no use any more after some of its readings are gone. */
  void release(Value value) {
    Deque<GraphNode> open = new ArrayDeque<>();
    release(value, open);
    remove(List.copyOf(open));
  }

  private void release(GraphNode reader, String input, Deque<GraphNode> open) {
    reader.scope().resolve(input).ifPresent(value -> release(value, open));
  }

  private void release(Value value, Deque<GraphNode> open) {
    if (isRead(value)) {
      return;
    }
    Optional<GraphNode> producer = value.scope().producer(value.name());
    if (producer.isPresent()) {
      GraphNode node = producer.get();
      boolean isIdle =
          node.part().proto().getOutputList().stream()
              .filter(output -> !output.isEmpty())
              .noneMatch(output -> isRead(new Value(node.scope(), output)));
      if (isIdle) {
        open.addLast(node);
      }
    } else if (value.scope().input(value.name()).isEmpty()) {
      value.scope().initializer(value.name()).ifPresent(tensors::add);
    }
  }

  private boolean isRead(Value value) {
    return kept.contains(value)
        || graph.leaves(value)
        || graph.uses(value).stream()
            .anyMatch(use -> !nodes.contains(use.node()) && !rewired.contains(use));
  }

  /** The edits that take everything out. */
  List<GraphEdit> edits() {
    List<GraphEdit> edits = new ArrayList<>();
    nodes.forEach(node -> edits.add(new RemoveNode(node.part())));
    tensors.forEach(tensor -> edits.add(new RemoveInitializer(tensor)));
    return edits;
  }
}
