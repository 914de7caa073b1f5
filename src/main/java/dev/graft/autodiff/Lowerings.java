package dev.graft.autodiff;

import dev.graft.onnx.proto.NodeProto;
import java.util.List;
import java.util.Map;

/** Which lowering stands in for which operator. */
final class Lowerings {

  private static final Map<String, Lowering> LOWERINGS =
      Map.ofEntries(
          Map.entry("Gelu", new GeluLowering()),
          Map.entry("RMSNormalization", new RmsNormLowering()),
          Map.entry("RotaryEmbedding", new RotaryLowering(3, 1)),
          Map.entry("com.microsoft.RotaryEmbedding", new RotaryLowering(1, 2)),
          Map.entry(
              "com.microsoft.SkipLayerNormalization",
              new SkipNormLowering("LayerNormalization", 4)),
          Map.entry(
              "com.microsoft.SkipSimplifiedLayerNormalization",
              new SkipNormLowering("SimplifiedLayerNormalization", 3)),
          Map.entry("com.microsoft.BiasGelu", new BiasLowering("com.microsoft.Gelu")),
          Map.entry("com.microsoft.FastGelu", new BiasLowering("com.microsoft.FastGelu")),
          Map.entry("com.microsoft.EmbedLayerNormalization", new EmbedNormLowering()),
          Map.entry("com.microsoft.Attention", new AttentionLowering()),
          Map.entry("com.microsoft.MultiHeadAttention", new MultiHeadLowering()),
          Map.entry("com.microsoft.GroupQueryAttention", new GroupQueryLowering()));

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
