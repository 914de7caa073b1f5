package dev.graft.inject;

import com.google.protobuf.ByteString;
import dev.graft.graph.ModelGraph;
import dev.graft.graph.StopGradient;
import dev.graft.onnx.Attributes;
import dev.graft.onnx.proto.AttributeProto;
import dev.graft.onnx.proto.NodeProto;
import dev.graft.onnx.proto.TensorProto;
import dev.graft.tensor.DType;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;

/**
 * New nodes of one module, in order. All names begin with the module's, so that viewers show them
 * as one scope.
 */
final class Nodes {

  private final ModelGraph graph;
  private final Opsets opsets;
  private final String scope;
  private final List<NodeProto> nodes;

  private Nodes(ModelGraph graph, String module, Opsets opsets, List<NodeProto> nodes) {
    this.graph = graph;
    this.opsets = opsets;
    // As exporters name nodes: /layers.0/q_proj/MatMul.
    this.scope = "/" + module.replace('.', '/').replaceAll("/(\\d+)(?=/|$)", ".$1");
    this.nodes = nodes;
  }

  /**
   * Begins with no nodes.
   *
   * @param graph has the names that are taken
   * @param module the module's name, dots between its parts
   * @param opsets the operators that there are
   */
  static Nodes of(ModelGraph graph, String module, Opsets opsets) {
    return new Nodes(graph, module, opsets, new ArrayList<>());
  }

  /** The same list of nodes, to go on with under another module's name. */
  Nodes in(String module) {
    return new Nodes(graph, module, opsets, nodes);
  }

  /** The nodes so far. */
  List<NodeProto> all() {
    return List.copyOf(nodes);
  }

  /**
   * Adds a node.
   *
   * @param label its name within the scope; the last part is the operator
   * @param inputs the values that it reads
   * @return its output
   */
  String add(String label, List<String> inputs, AttributeProto... attributes) {
    String name = name(label);
    return end(name, operator(label), inputs, graph.freshName(name + "_output_0"), attributes);
  }

  /** Adds the node that makes a value which others read already. */
  void last(String label, List<String> inputs, String output, AttributeProto... attributes) {
    end(name(label), operator(label), inputs, output, attributes);
  }

  private String end(
      String name,
      String operator,
      List<String> inputs,
      String output,
      AttributeProto... attributes) {
    opsets.require(operator);
    nodes.add(
        NodeProto.newBuilder()
            .setOpType(operator)
            .setName(name)
            .addAllInput(inputs)
            .addOutput(output)
            .addAllAttribute(List.of(attributes))
            .build());
    return output;
  }

  /** Adds a constant vector of sizes, bounds or axes. */
  String integers(String label, long... values) {
    ByteBuffer bytes =
        ByteBuffer.allocate(values.length * Long.BYTES).order(ByteOrder.LITTLE_ENDIAN);
    for (long value : values) {
      bytes.putLong(value);
    }
    return constant(label, DType.INT64, ByteString.copyFrom(bytes.flip()), values.length);
  }

  /** Adds a constant number. */
  String number(String label, float value) {
    ByteBuffer bytes = ByteBuffer.allocate(Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
    bytes.putFloat(value);
    return constant(label, DType.FLOAT32, ByteString.copyFrom(bytes.flip()));
  }

  private String constant(String label, DType type, ByteString bytes, long... dims) {
    TensorProto.Builder tensor =
        TensorProto.newBuilder().setDataType(type.onnxCode()).setRawData(bytes);
    for (long dim : dims) {
      tensor.addDims(dim);
    }
    return add(label + "/Constant", List.of(), Attributes.of("value", tensor.build()));
  }

  /** Adds a Cast, unless the value has the type already. */
  String cast(String label, String value, DType from, DType to) {
    return from == to
        ? value
        : add(label + "/Cast", List.of(value), Attributes.of("to", (long) to.onnxCode()));
  }

  /** Adds a Transpose of a matrix. */
  String turned(String label, String matrix) {
    return add(label + "/Transpose", List.of(matrix), Attributes.ofInts("perm", List.of(1L, 0L)));
  }

  /** Adds a Reshape; -1 stands for what is left. */
  String reshaped(String label, String value, long... shape) {
    return add(label + "/Reshape", List.of(value, integers(label + "/shape", shape)));
  }

  /** Makes a gradient take what the last node makes as a constant. */
  void stopGradient() {
    nodes.add(StopGradient.mark(nodes.removeLast()));
  }

  private String name(String label) {
    return graph.freshName(scope + "/" + label);
  }

  private static String operator(String label) {
    return label.substring(label.lastIndexOf('/') + 1);
  }
}
