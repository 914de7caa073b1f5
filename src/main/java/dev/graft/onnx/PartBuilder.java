package dev.graft.onnx;

import dev.graft.onnx.proto.AttributeProto;
import dev.graft.onnx.proto.FunctionProto;
import dev.graft.onnx.proto.GraphProto;
import dev.graft.onnx.proto.NodeProto;
import dev.graft.onnx.proto.SparseTensorProto;
import dev.graft.onnx.proto.TensorProto;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Joins the parsed skeleton with the spans of the scan, and lists every tensor that it meets. */
final class PartBuilder {

  private final ExternalData data;
  private final List<StoredTensor> tensors = new ArrayList<>();

  PartBuilder(ExternalData data) {
    this.data = data;
  }

  /** Every tensor met so far, initializers and attributes, those of sparse tensors included. */
  List<StoredTensor> tensors() {
    return tensors;
  }

  GraphPart graph(GraphProto proto, MessageSpan span) {
    List<MessageSpan> nodeSpans = span.children(1);
    List<NodePart> nodes = new ArrayList<>(nodeSpans.size());
    for (int i = 0; i < proto.getNodeCount(); i++) {
      nodes.add(node(proto.getNode(i), nodeSpans.get(i)));
    }
    List<MessageSpan> tensorSpans = span.children(5);
    List<StoredTensor> initializers = new ArrayList<>(tensorSpans.size());
    for (int i = 0; i < proto.getInitializerCount(); i++) {
      TensorProto tensor = proto.getInitializer(i);
      initializers.add(tensor(tensor.getName(), tensor, tensorSpans.get(i)));
    }
    for (int i = 0; i < proto.getSparseInitializerCount(); i++) {
      sparse(proto.getSparseInitializer(i), span, 15, i);
    }
    return new GraphPart(proto, span, List.copyOf(nodes), List.copyOf(initializers));
  }

  FunctionPart function(FunctionProto proto, MessageSpan span) {
    List<MessageSpan> nodeSpans = span.children(7);
    List<NodePart> nodes = new ArrayList<>(nodeSpans.size());
    for (int i = 0; i < proto.getNodeCount(); i++) {
      nodes.add(node(proto.getNode(i), nodeSpans.get(i)));
    }
    return new FunctionPart(proto, span, List.copyOf(nodes));
  }

  private NodePart node(NodeProto proto, MessageSpan span) {
    Map<String, StoredTensor> values = new HashMap<>();
    List<GraphPart> subgraphs = new ArrayList<>();
    for (int i = 0; i < proto.getAttributeCount(); i++) {
      AttributeProto attribute = proto.getAttribute(i);
      MessageSpan below = span.child(5, i).orElse(null);
      if (below == null) {
        continue;
      }
      String label = proto.getOutputCount() > 0 ? proto.getOutput(0) : proto.getName();
      if (attribute.hasT()) {
        values.put(
            attribute.getName(), tensor(label, attribute.getT(), below.child(5, 0).orElseThrow()));
      }
      for (int t = 0; t < attribute.getTensorsCount(); t++) {
        StoredTensor one = tensor(label, attribute.getTensors(t), below.child(10, t).orElseThrow());
        values.putIfAbsent(attribute.getName(), one);
      }
      if (attribute.hasG()) {
        subgraphs.add(graph(attribute.getG(), below.child(6, 0).orElseThrow()));
      }
      for (int g = 0; g < attribute.getGraphsCount(); g++) {
        subgraphs.add(graph(attribute.getGraphs(g), below.child(11, g).orElseThrow()));
      }
      if (attribute.hasSparseTensor()) {
        sparse(attribute.getSparseTensor(), below, 22, 0);
      }
      for (int s = 0; s < attribute.getSparseTensorsCount(); s++) {
        sparse(attribute.getSparseTensors(s), below, 23, s);
      }
    }
    return new NodePart(proto, span, Map.copyOf(values), List.copyOf(subgraphs));
  }

  private void sparse(SparseTensorProto proto, MessageSpan parent, int field, int index) {
    MessageSpan span = parent.child(field, index).orElse(null);
    if (span == null) {
      return;
    }
    if (proto.hasValues()) {
      tensor(proto.getValues().getName(), proto.getValues(), span.child(1, 0).orElseThrow());
    }
    if (proto.hasIndices()) {
      tensor(proto.getIndices().getName(), proto.getIndices(), span.child(2, 0).orElseThrow());
    }
  }

  private StoredTensor tensor(String label, TensorProto proto, MessageSpan span) {
    StoredTensor stored = StoredTensor.of(label, proto, span, data);
    tensors.add(stored);
    return stored;
  }
}
