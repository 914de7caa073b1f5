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
    for (MessageSpan below : span.children(15)) {
      sparse("", proto.getSparseInitializer(below.index()), below);
    }
    return new GraphPart(proto, span, List.copyOf(nodes), List.copyOf(initializers));
  }

  FunctionPart function(FunctionProto proto, MessageSpan span) {
    List<MessageSpan> nodeSpans = span.children(7);
    List<NodePart> nodes = new ArrayList<>(nodeSpans.size());
    for (int i = 0; i < proto.getNodeCount(); i++) {
      nodes.add(node(proto.getNode(i), nodeSpans.get(i)));
    }
    for (MessageSpan below : span.children(11)) {
      AttributeProto attribute = proto.getAttributeProto(below.index());
      tensors(attribute.getName(), attribute, below);
      subgraphs(attribute, below);
    }
    return new FunctionPart(proto, span, List.copyOf(nodes));
  }

  private NodePart node(NodeProto proto, MessageSpan span) {
    if (!span.hasChildren()) {
      return new NodePart(proto, span, Map.of(), List.of());
    }
    String label = proto.getOutputCount() > 0 ? proto.getOutput(0) : proto.getName();
    Map<String, StoredTensor> values = new HashMap<>();
    List<GraphPart> subgraphs = new ArrayList<>();
    for (MessageSpan below : span.children(5)) {
      AttributeProto attribute = proto.getAttribute(below.index());
      List<StoredTensor> found = tensors(label, attribute, below);
      if (!found.isEmpty()) {
        values.put(attribute.getName(), found.getFirst());
      }
      subgraphs.addAll(subgraphs(attribute, below));
    }
    return new NodePart(proto, span, Map.copyOf(values), List.copyOf(subgraphs));
  }

  private List<StoredTensor> tensors(String label, AttributeProto attribute, MessageSpan span) {
    List<StoredTensor> found = new ArrayList<>();
    if (attribute.hasT()) {
      found.add(tensor(label, attribute.getT(), span.child(5)));
    }
    for (MessageSpan below : span.children(10)) {
      found.add(tensor(label, attribute.getTensors(below.index()), below));
    }
    if (attribute.hasSparseTensor()) {
      sparse(label, attribute.getSparseTensor(), span.child(22));
    }
    for (MessageSpan below : span.children(23)) {
      sparse(label, attribute.getSparseTensors(below.index()), below);
    }
    return found;
  }

  private List<GraphPart> subgraphs(AttributeProto attribute, MessageSpan span) {
    List<GraphPart> found = new ArrayList<>();
    if (attribute.hasG()) {
      found.add(graph(attribute.getG(), span.child(6)));
    }
    for (MessageSpan below : span.children(11)) {
      found.add(graph(attribute.getGraphs(below.index()), below));
    }
    return found;
  }

  private void sparse(String label, SparseTensorProto proto, MessageSpan span) {
    String name = proto.getValues().getName().isEmpty() ? label : proto.getValues().getName();
    if (proto.hasValues()) {
      tensor(name, proto.getValues(), span.child(1));
    }
    if (proto.hasIndices()) {
      tensor(name + " (indices)", proto.getIndices(), span.child(2));
    }
  }

  private StoredTensor tensor(String label, TensorProto proto, MessageSpan span) {
    StoredTensor stored = StoredTensor.of(label, proto, span, data);
    tensors.add(stored);
    return stored;
  }
}
