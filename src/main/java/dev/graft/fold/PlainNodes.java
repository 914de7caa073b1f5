package dev.graft.fold;

import dev.graft.onnx.proto.AttributeProto;
import dev.graft.onnx.proto.GraphProto;
import dev.graft.onnx.proto.NodeProto;
import dev.graft.onnx.proto.TensorProto;
import java.util.List;
import java.util.Map;
import java.util.function.Function;

/**
 * Nodes without the values of the tensors in them, which are compared by themselves; with the
 * inputs that a merge moves to copies of weights, if it is asked for.
 */
final class PlainNodes {

  private final Function<NodeProto, Map<Integer, String>> moved;

  /**
   * Prepares to strip nodes.
   *
   * @param moved the inputs that a node reads in the output, where they differ from the base's
   */
  PlainNodes(Function<NodeProto, Map<Integer, String>> moved) {
    this.moved = moved;
  }

  List<NodeProto> of(List<NodeProto> nodes) {
    return nodes.stream().map(this::of).toList();
  }

  private NodeProto of(NodeProto node) {
    NodeProto.Builder plain = node.toBuilder();
    moved.apply(node).forEach(plain::setInput);
    for (int i = 0; i < node.getAttributeCount(); i++) {
      plain.setAttribute(i, of(node.getAttribute(i)));
    }
    return plain.build();
  }

  private AttributeProto of(AttributeProto attribute) {
    AttributeProto.Builder plain = attribute.toBuilder();
    if (attribute.hasT()) {
      plain.setT(of(attribute.getT()));
    }
    if (attribute.hasG()) {
      plain.setG(of(attribute.getG()));
    }
    for (int i = 0; i < attribute.getTensorsCount(); i++) {
      plain.setTensors(i, of(attribute.getTensors(i)));
    }
    for (int i = 0; i < attribute.getGraphsCount(); i++) {
      plain.setGraphs(i, of(attribute.getGraphs(i)));
    }
    return plain.build();
  }

  private GraphProto of(GraphProto graph) {
    GraphProto.Builder plain = graph.toBuilder();
    for (int i = 0; i < graph.getInitializerCount(); i++) {
      plain.setInitializer(i, of(graph.getInitializer(i)));
    }
    return plain.clearNode().addAllNode(of(graph.getNodeList())).build();
  }

  private static TensorProto of(TensorProto tensor) {
    return tensor.toBuilder()
        .clearRawData()
        .clearFloatData()
        .clearInt32Data()
        .clearExternalData()
        .build();
  }
}
