package dev.graft.graph;

import dev.graft.graph.Scope.FunctionId;
import dev.graft.onnx.NodePart;
import dev.graft.onnx.proto.AttributeProto;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * A node in its scope. Two are equal only if they are the same place of the file: the branches of
 * an If may hold nodes that read alike.
 *
 * @param part the node
 * @param scope the graph or function body that holds it
 */
public record GraphNode(NodePart part, Scope scope) {

  /** The operator with its domain where that is not ONNX's own. */
  public String operator() {
    return part.operator();
  }

  /** The node's name, or its first output where it has none. */
  public String label() {
    return part.label();
  }

  /** The names of its inputs; an empty name is an input left out. */
  public List<String> inputs() {
    return part.proto().getInputList();
  }

  /** The name of an input, empty if the node has none at this place. */
  public Optional<String> input(int index) {
    return index < inputs().size() && !inputs().get(index).isEmpty()
        ? Optional.of(inputs().get(index))
        : Optional.empty();
  }

  /** The first output. */
  public Optional<String> output() {
    return part.proto().getOutputList().stream().findFirst().filter(o -> !o.isEmpty());
  }

  /** An attribute by name. */
  public Optional<AttributeProto> attribute(String name) {
    return part.proto().getAttributeList().stream()
        .filter(a -> a.getName().equals(name))
        .findFirst();
  }

  /** An integer attribute, or the operator's default. */
  public long intAttribute(String name, long otherwise) {
    return attribute(name).map(AttributeProto::getI).orElse(otherwise);
  }

  /** A float attribute, or the operator's default. */
  public float floatAttribute(String name, float otherwise) {
    return attribute(name).map(AttributeProto::getF).orElse(otherwise);
  }

  /**
   * Whether some attribute takes its value from the call of the function around the node, so that
   * the node alone does not say what it does.
   */
  public boolean hasReferringAttributes() {
    return part.proto().getAttributeList().stream().anyMatch(a -> !a.getRefAttrName().isEmpty());
  }

  /** The model-local function that the node calls, if the model has one of that name. */
  public FunctionId callee() {
    return new FunctionId(
        part.proto().getDomain(), part.proto().getOpType(), part.proto().getOverload());
  }

  /** A metadata entry of the node. */
  public Optional<String> metadata(String key) {
    return part.proto().getMetadataPropsList().stream()
        .filter(p -> p.getKey().equals(key))
        .map(p -> p.getValue())
        .findFirst();
  }

  @Override
  public boolean equals(@Nullable Object other) {
    return other instanceof GraphNode node && node.part.span() == part.span();
  }

  @Override
  public int hashCode() {
    return System.identityHashCode(part.span());
  }

  @Override
  public String toString() {
    return operator() + " '" + label() + "'";
  }
}
