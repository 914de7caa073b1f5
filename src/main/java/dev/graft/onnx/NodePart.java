package dev.graft.onnx;

import dev.graft.onnx.proto.NodeProto;
import java.util.List;
import java.util.Map;

/**
 * A node joined with its place.
 *
 * @param proto the node without large payloads
 * @param span where it lies in the model file
 * @param tensors tensors among its attributes, by attribute name (the first of a list of tensors)
 * @param subgraphs graphs among its attributes, in order
 */
public record NodePart(
    NodeProto proto,
    MessageSpan span,
    Map<String, StoredTensor> tensors,
    List<GraphPart> subgraphs) {

  /**
   * The operator with its domain where that is not ONNX's own, e.g. {@code
   * com.microsoft.MatMulNBits}.
   */
  public String operator() {
    return proto.getDomain().isEmpty() || proto.getDomain().equals("ai.onnx")
        ? proto.getOpType()
        : proto.getDomain() + "." + proto.getOpType();
  }

  /** The node's name, or its first output where it has none. */
  public String label() {
    if (!proto.getName().isEmpty()) {
      return proto.getName();
    }
    return proto.getOutputCount() > 0 ? proto.getOutput(0) : proto.getOpType();
  }
}
