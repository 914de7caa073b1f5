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
    for (int i = 0; i < proto.getAttributeProtoCount(); i++) {
      AttributeProto attribute = proto.getAttributeProto(i);
      span.child(11, i)
          .ifPresent(below -> {
            tensors(attribute.getName(), attribute, below);
            subgraphs(attribute, below);
          });
    }
    return new FunctionPart(proto, span, List.copyOf(nodes));
  }

  private NodePart node(NodeProto proto, MessageSpan span) {
    String label = proto.getOutputCount() > 0 ? proto.getOutput(0) : proto.getName();
    Map<String, StoredTensor> values = new HashMap<>();
    List<GraphPart> subgraphs = new ArrayList<>();
    for (int i = 0; i < proto.getAttributeCount(); i++) {
      AttributeProto attribute = proto.getAttribute(i);
      span.child(5, i)
          .ifPresent(below -> {
            List<StoredTensor> found = tensors(label, attribute, below);
            if (!found.isEmpty()) {
              values.put(attribute.getName(), found.getFirst());
            }
            subgraphs.addAll(subgraphs(attribute, below));
          });
    }
    return new NodePart(proto, span, Map.copyOf(values), List.copyOf(subgraphs));
  }

  private List<StoredTensor> tensors(String label, AttributeProto attribute, MessageSpan span) {
    List<StoredTensor> found = new ArrayList<>();
    if (attribute.hasT()) {
      found.add(tensor(label, attribute.getT(), span.child(5, 0).orElseThrow()));
    }
    for (int i = 0; i < attribute.getTensorsCount(); i++) {
      found.add(tensor(label, attribute.getTensors(i), span.child(10, i).orElseThrow()));
    }
    if (attribute.hasSparseTensor()) {
      sparse(attribute.getSparseTensor(), span, 22, 0);
    }
    for (int i = 0; i < attribute.getSparseTensorsCount(); i++) {
      sparse(attribute.getSparseTensors(i), span, 23, i);
    }
    return found;
  }

  private List<GraphPart> subgraphs(AttributeProto attribute, MessageSpan span) {
    List<GraphPart> found = new ArrayList<>();
    if (attribute.hasG()) {
      found.add(graph(attribute.getG(), span.child(6, 0).orElseThrow()));
    }
    for (int i = 0; i < attribute.getGraphsCount(); i++) {
      found.add(graph(attribute.getGraphs(i), span.child(11, i).orElseThrow()));
    }
    return found;
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
