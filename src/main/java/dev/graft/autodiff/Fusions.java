package dev.graft.autodiff;

import dev.graft.onnx.proto.NodeProto;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/** Fuses the forward graph where a gradient flows, before it is differentiated. */
final class Fusions {

  private static final List<Fusion> FUSIONS =
      List.of(
          new SiluFusion(),
          new GeluFusion(),
          new LayerNormFusion(),
          new RmsNormFusion(),
          new RepeatFusion());

  private final Draft draft;
  private final Emitter emitter;

  Fusions(Draft draft, Emitter emitter) {
    this.draft = draft;
    this.emitter = emitter;
  }

  /** Fuses, and drops the nodes that nothing reads any more. */
  void apply(Activity activity) {
    List<NodeProto> nodes = List.copyOf(draft.nodes());
    Set<String> read = read(nodes);
    draft.replaceNodes(List.of());
    for (NodeProto node : nodes) {
      if (!activity.reachesOutOf(node) || !fused(new OpNode(node, draft))) {
        draft.append(node);
      }
    }
    dropDead(read);
  }

  private boolean fused(OpNode node) {
    emitter.begin(node.label());
    return FUSIONS.stream().anyMatch(fusion -> fusion.apply(node, emitter));
  }

  private void dropDead(Set<String> readBefore) {
    Set<String> read = new HashSet<>();
    List<NodeProto> alive = new ArrayList<>();
    for (NodeProto node : draft.nodes().reversed()) {
      boolean isDead =
          node.getOutputList().stream()
              .allMatch(o -> readBefore.contains(o) && !read.contains(o) && !draft.isOutput(o));
      if (!isDead) {
        alive.add(node);
        read.addAll(Order.reads(node));
      }
    }
    draft.replaceNodes(alive.reversed());
  }

  private static Set<String> read(List<NodeProto> nodes) {
    Set<String> read = new HashSet<>();
    nodes.forEach(node -> read.addAll(Order.reads(node)));
    return read;
  }
}
