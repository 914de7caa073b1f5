package dev.graft.onnx;

import dev.graft.onnx.proto.GraphProto;
import java.util.List;

/**
 * A graph joined with its place.
 *
 * @param proto the graph without large payloads
 * @param span where it lies in the model file
 * @param nodes its nodes, in order
 * @param initializers its initializers, in order
 */
public record GraphPart(
    GraphProto proto, MessageSpan span, List<NodePart> nodes, List<StoredTensor> initializers) {}
