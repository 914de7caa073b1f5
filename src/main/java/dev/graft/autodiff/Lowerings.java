package dev.graft.autodiff;

import dev.graft.onnx.proto.NodeProto;
import java.util.List;
import java.util.Map;

/** Which lowering stands in for which operator. */
final class Lowerings {

  private static final Map<String, Lowering> LOWERINGS =
      Map.ofEntries(Map.entry("Gelu", new GeluLowering()));

  private final Draft draft;
  private final Emitter emitter;

  Lowerings(Draft draft, Emitter emitter) {
    this.draft = draft;
    this.emitter = emitter;
  }

  /** Lowers the nodes that a gradient flows through. */
  void apply(Activity activity) {
    List<NodeProto> nodes = List.copyOf(draft.nodes());
    draft.replaceNodes(List.of());
    for (NodeProto node : nodes) {
      Lowering lowering = LOWERINGS.get(OpNode.operator(node));
      if (lowering == null || !activity.reachesOutOf(node)) {
        draft.append(node);
      } else {
        OpNode view = new OpNode(node, draft);
        emitter.begin(view.label());
        lowering.apply(view, emitter);
      }
    }
  }
}
