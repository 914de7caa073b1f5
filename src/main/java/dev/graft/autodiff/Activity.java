package dev.graft.autodiff;

import dev.graft.graph.StopGradient;
import dev.graft.onnx.proto.NodeProto;
import java.util.Collection;
import java.util.HashSet;
import java.util.Set;

/** Which values depend on a trainable tensor in a way that can be differentiated. */
final class Activity {

  private final Set<String> active;

  private Activity(Set<String> active) {
    this.active = active;
  }

  /** Follows the trainable tensors through a draft whose nodes are in order. */
  static Activity of(Draft draft, Collection<String> trainable) {
    Set<String> active = new HashSet<>(trainable);
    for (NodeProto node : draft.nodes()) {
      if (!StopGradient.isOn(node)
          && !Rules.isConstant(node)
          && Order.reads(node).stream().anyMatch(active::contains)) {
        node.getOutputList().stream()
            .filter(output -> !output.isEmpty() && !isCount(draft.facts(output)))
            .forEach(active::add);
      }
    }
    return new Activity(active);
  }

  /** Whether a value depends on a trainable tensor. */
  boolean reaches(String value) {
    return active.contains(value);
  }

  /** Whether the derivative of a node is wanted. */
  boolean reachesOutOf(NodeProto node) {
    return node.getOutputList().stream().anyMatch(active::contains);
  }

  private static boolean isCount(Facts facts) {
    return facts.type().isPresent() && !facts.isFloat();
  }
}
