package dev.graft.autodiff;

import dev.graft.onnx.proto.NodeProto;
import dev.graft.tensor.DType;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Infers types, shapes and the contents of shape vectors, node by node. What the rules leave open
 * is taken from the graph's own declarations.
 */
final class Inference {

  private static final Map<String, ShapeRule> RULES = rules();

  private final Draft draft;

  Inference(Draft draft) {
    this.draft = draft;
  }

  private static Map<String, ShapeRule> rules() {
    Map<String, ShapeRule> rules = new HashMap<>();
    ElementwiseShapes.addTo(rules);
    MovementShapes.addTo(rules);
    ReductionShapes.addTo(rules);
    IndexingShapes.addTo(rules);
    ContentShapes.addTo(rules);
    LinearShapes.addTo(rules);
    return Map.copyOf(rules);
  }

  /** Infers what is known of a node's outputs; its inputs' facts must be there. */
  void infer(NodeProto node) {
    ShapeRule rule = RULES.get(OpNode.operator(node));
    List<Facts> found = rule == null ? List.of() : rule.of(new OpNode(node, draft));
    for (int i = 0; i < node.getOutputCount(); i++) {
      String output = node.getOutput(i);
      if (!output.isEmpty()) {
        Facts inferred = i < found.size() ? found.get(i) : Facts.NONE;
        draft.learn(output, merged(inferred, draft.declared(output)));
      }
    }
  }

  private static Facts merged(Facts inferred, Facts declared) {
    Optional<DType> type = inferred.type().or(declared::type);
    Optional<List<Dim>> dims = inferred.dims().or(declared::dims);
    if (inferred.dims().isPresent() && declared.rank().equals(inferred.rank())) {
      dims = Optional.of(merged(inferred.dims().get(), declared.dims().orElseThrow()));
    }
    return new Facts(type, dims, inferred.content());
  }

  private static List<Dim> merged(List<Dim> inferred, List<Dim> declared) {
    List<Dim> dims = new ArrayList<>();
    for (int i = 0; i < inferred.size(); i++) {
      boolean isOpen = !inferred.get(i).isConstant() && declared.get(i).isConstant();
      dims.add(isOpen ? declared.get(i) : inferred.get(i));
    }
    return dims;
  }
}
