package dev.graft.autodiff;

import dev.graft.onnx.proto.AttributeProto;
import dev.graft.onnx.proto.GraphProto;
import dev.graft.onnx.proto.NodeProto;
import java.util.HashMap;
import java.util.Map;

/** Names of a body that moves into the graph around it: its own become fresh, others stay. */
final class Renaming {

  private final Names names;
  private final String prefix;
  private final Map<String, String> renamed = new HashMap<>();

  Renaming(Names names, String prefix) {
    this.names = names;
    this.prefix = prefix;
  }

  /** Gives a value of the body a name of its own in the graph around it. */
  String own(String name) {
    return name.isEmpty()
        ? name
        : renamed.computeIfAbsent(name, n -> names.fresh(prefix + "/" + n));
  }

  /** Gives a value of the body the name of one of the graph around it. */
  void map(String name, String outer) {
    renamed.put(name, outer);
  }

  String of(String name) {
    return renamed.getOrDefault(name, name);
  }

  NodeProto renamed(NodeProto node) {
    NodeProto.Builder result = node.toBuilder().clearInput().clearOutput().clearAttribute();
    if (!node.getName().isEmpty()) {
      result.setName(names.fresh(prefix + "/" + node.getName()));
    }
    node.getInputList().forEach(input -> result.addInput(of(input)));
    node.getOutputList().forEach(output -> result.addOutput(of(output)));
    node.getAttributeList().forEach(attribute -> result.addAttribute(renamed(attribute)));
    return result.build();
  }

  private AttributeProto renamed(AttributeProto attribute) {
    AttributeProto.Builder result = attribute.toBuilder();
    if (attribute.hasG()) {
      result.setG(inner(attribute.getG()));
    }
    for (int i = 0; i < attribute.getGraphsCount(); i++) {
      result.setGraphs(i, inner(attribute.getGraphs(i)));
    }
    return result.build();
  }

  /** A subgraph keeps the names that it defines itself and reads the renamed ones around it. */
  private GraphProto inner(GraphProto graph) {
    Renaming inside = new Renaming(names, prefix);
    inside.renamed.putAll(renamed);
    graph.getInputList().forEach(i -> inside.map(i.getName(), i.getName()));
    graph.getInitializerList().forEach(i -> inside.map(i.getName(), i.getName()));
    graph.getNodeList().forEach(n -> n.getOutputList().forEach(o -> inside.map(o, o)));
    GraphProto.Builder result = graph.toBuilder().clearNode();
    graph.getNodeList().forEach(n -> result.addNode(inside.renamed(n)));
    for (int i = 0; i < graph.getOutputCount(); i++) {
      result.getOutputBuilder(i).setName(inside.of(graph.getOutput(i).getName()));
    }
    return result.build();
  }
}
