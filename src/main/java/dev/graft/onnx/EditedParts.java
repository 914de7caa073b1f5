package dev.graft.onnx;

import dev.graft.onnx.GraphEdit.RemoveInitializer;
import dev.graft.onnx.GraphEdit.RemoveNode;
import dev.graft.onnx.GraphEdit.RenameOutput;
import dev.graft.onnx.GraphEdit.SetInput;
import dev.graft.onnx.proto.NodeProto;
import java.util.ArrayList;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Set;

/** Carries edits out on the parts of a model, which keep their places in its file. */
final class EditedParts {

  private final Set<MessageSpan> gone = Collections.newSetFromMap(new IdentityHashMap<>());
  private final IdentityHashMap<MessageSpan, List<GraphEdit>> changed = new IdentityHashMap<>();

  EditedParts(List<GraphEdit> edits) {
    for (GraphEdit edit : edits) {
      switch (edit) {
        case RemoveNode(NodePart node) -> gone.add(node.span());
        case RemoveInitializer(StoredTensor tensor) -> gone.add(tensor.span());
        case RenameOutput rename -> change(rename.node(), rename);
        case SetInput set -> change(set.node(), set);
        default ->
            throw new IllegalArgumentException(
                "a part cannot be seen after a " + edit.getClass().getSimpleName());
      }
    }
  }

  private void change(NodePart node, GraphEdit edit) {
    changed.computeIfAbsent(node.span(), _ -> new ArrayList<>()).add(edit);
  }

  GraphPart graph(GraphPart part) {
    return new GraphPart(
        part.proto(),
        part.span(),
        part.nodes().stream().filter(n -> !gone.contains(n.span())).map(this::node).toList(),
        part.initializers().stream().filter(t -> !gone.contains(t.span())).toList());
  }

  private NodePart node(NodePart part) {
    List<GraphPart> subgraphs = part.subgraphs().stream().map(this::graph).toList();
    NodeProto.Builder proto = part.proto().toBuilder();
    for (GraphEdit edit : changed.getOrDefault(part.span(), List.of())) {
      if (edit instanceof RenameOutput(_, int output, String name)) {
        proto.setOutput(output, name);
      } else if (edit instanceof SetInput(_, int input, String name)) {
        proto.setInput(input, name);
      }
    }
    return new NodePart(
        changed.containsKey(part.span()) ? proto.build() : part.proto(),
        part.span(),
        part.tensors(),
        subgraphs);
  }
}
