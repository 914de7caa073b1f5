package dev.graft.testing;

import com.google.protobuf.ByteString;
import dev.graft.onnx.proto.AttributeProto;
import dev.graft.onnx.proto.NodeProto;
import dev.graft.onnx.proto.StringStringEntryProto;
import java.util.List;

/** Builds one node. */
public final class Node {

  private final NodeProto.Builder proto = NodeProto.newBuilder();

  private Node() {}

  /** A node of ONNX's own operators, or of {@code com.microsoft.X}'s or another domain's. */
  public static Node of(String operator, String... inputs) {
    Node node = new Node();
    int dot = operator.lastIndexOf('.');
    node.proto.setOpType(operator.substring(dot + 1)).addAllInput(List.of(inputs));
    if (dot > 0) {
      node.proto.setDomain(operator.substring(0, dot));
    }
    return node;
  }

  /** A Constant of float values. */
  public static Node constant(Values values) {
    Node node = of("Constant");
    node.proto.addAttribute(
        AttributeProto.newBuilder()
            .setName("value")
            .setType(AttributeProto.AttributeType.TENSOR)
            .setT(values.tensor("")));
    return node;
  }

  /** Its outputs. */
  public Node to(String... outputs) {
    proto.addAllOutput(List.of(outputs));
    return this;
  }

  /** Its name. */
  public Node named(String name) {
    proto.setName(name);
    return this;
  }

  /** Dynamo's module scopes: the module, and what it calls. */
  public Node in(String module) {
    return metadata("pkg.torch.onnx.name_scopes", "['', '" + module + "', 'linear']");
  }

  /** A metadata entry. */
  public Node metadata(String key, String value) {
    proto.addMetadataProps(StringStringEntryProto.newBuilder().setKey(key).setValue(value));
    return this;
  }

  /** An integer attribute. */
  public Node with(String name, long value) {
    proto.addAttribute(
        AttributeProto.newBuilder()
            .setName(name)
            .setType(AttributeProto.AttributeType.INT)
            .setI(value));
    return this;
  }

  /** A string attribute. */
  public Node with(String name, String value) {
    proto.addAttribute(
        AttributeProto.newBuilder()
            .setName(name)
            .setType(AttributeProto.AttributeType.STRING)
            .setS(ByteString.copyFromUtf8(value)));
    return this;
  }

  /** A float attribute. */
  public Node with(String name, float value) {
    proto.addAttribute(
        AttributeProto.newBuilder()
            .setName(name)
            .setType(AttributeProto.AttributeType.FLOAT)
            .setF(value));
    return this;
  }

  /** An attribute of integers. */
  public Node with(String name, List<Long> values) {
    proto.addAttribute(
        AttributeProto.newBuilder()
            .setName(name)
            .setType(AttributeProto.AttributeType.INTS)
            .addAllInts(values));
    return this;
  }

  /** A graph as attribute. */
  public Node with(String name, Graphs body) {
    proto.addAttribute(
        AttributeProto.newBuilder()
            .setName(name)
            .setType(AttributeProto.AttributeType.GRAPH)
            .setG(body.graph()));
    return this;
  }

  /** An integer attribute that takes its value from an attribute of the function around it. */
  public Node referring(String name, String attributeOfFunction) {
    proto.addAttribute(
        AttributeProto.newBuilder()
            .setName(name)
            .setType(AttributeProto.AttributeType.INT)
            .setRefAttrName(attributeOfFunction));
    return this;
  }

  NodeProto proto() {
    return proto.build();
  }
}
