package dev.graft.graph;

import dev.graft.onnx.proto.NodeProto;
import dev.graft.onnx.proto.StringStringEntryProto;

/**
 * The mark of a node whose outputs a gradient takes as constants. It is an entry of the node's
 * metadata, which runtimes ignore.
 */
public final class StopGradient {

  private static final StringStringEntryProto MARK =
      StringStringEntryProto.newBuilder().setKey("graft.stop_gradient").setValue("true").build();

  private StopGradient() {}

  /** The node with the mark. */
  public static NodeProto mark(NodeProto node) {
    return node.toBuilder().addMetadataProps(MARK).build();
  }

  /** Whether a node has the mark. */
  public static boolean isOn(NodeProto node) {
    return node.getMetadataPropsList().contains(MARK);
  }
}
