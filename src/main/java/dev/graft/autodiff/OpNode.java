package dev.graft.autodiff;

import dev.graft.onnx.proto.AttributeProto;
import dev.graft.onnx.proto.NodeProto;
import java.util.List;
import java.util.Optional;

/**
 * A node together with the graph that says what its inputs are.
 *
 * @param proto the node
 * @param draft the graph that holds it
 */
record OpNode(NodeProto proto, Draft draft) {

  /** The operator with its domain where that is not ONNX's own. */
  String operator() {
    return operator(proto);
  }

  static String operator(NodeProto node) {
    String domain = node.getDomain();
    return domain.isEmpty() || domain.equals("ai.onnx")
        ? node.getOpType()
        : domain + "." + node.getOpType();
  }

  /** The node's name, or its first output where it has none. */
  String label() {
    return proto.getName().isEmpty() ? proto.getOutput(0) : proto.getName();
  }

  int inputs() {
    return proto.getInputCount();
  }

  boolean hasInput(int index) {
    return index < proto.getInputCount() && !proto.getInput(index).isEmpty();
  }

  /** The name of an input that is there. */
  String input(int index) {
    return proto.getInput(index);
  }

  boolean hasOutput(int index) {
    return index < proto.getOutputCount() && !proto.getOutput(index).isEmpty();
  }

  /** What is known of an input; nothing of one left out. */
  Facts facts(int index) {
    return hasInput(index) ? draft.facts(input(index)) : Facts.NONE;
  }

  Optional<AttributeProto> attribute(String name) {
    return proto.getAttributeList().stream().filter(a -> a.getName().equals(name)).findFirst();
  }

  long intAttribute(String name, long otherwise) {
    return attribute(name).map(AttributeProto::getI).orElse(otherwise);
  }

  float floatAttribute(String name, float otherwise) {
    return attribute(name).map(AttributeProto::getF).orElse(otherwise);
  }

  String textAttribute(String name, String otherwise) {
    return attribute(name).map(a -> a.getS().toStringUtf8()).orElse(otherwise);
  }

  /** An attribute of integers; empty if the node has none of that name. */
  Optional<List<Long>> intsAttribute(String name) {
    return attribute(name).map(AttributeProto::getIntsList);
  }

  /**
   * Integers that old operator sets have as an attribute and new ones as an input. Empty if there
   * are none; an input whose values are not known is told apart by {@link #hasInput}.
   */
  Optional<long[]> integers(String attribute, int input) {
    Optional<List<Long>> listed = intsAttribute(attribute);
    return listed.isPresent()
        ? listed.map(l -> l.stream().mapToLong(Long::longValue).toArray())
        : facts(input).numbers();
  }

  /** The axis that an attribute names, counted from the front. */
  int axis(long otherwise, int rank) {
    int axis = Math.toIntExact(intAttribute("axis", otherwise));
    return axis < 0 ? axis + rank : axis;
  }
}
