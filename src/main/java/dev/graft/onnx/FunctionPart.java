package dev.graft.onnx;

import dev.graft.onnx.proto.FunctionProto;
import java.util.List;

/**
 * A model-local function joined with its place.
 *
 * @param proto the function without large payloads
 * @param span where it lies in the model file
 * @param nodes its nodes, in order
 */
public record FunctionPart(FunctionProto proto, MessageSpan span, List<NodePart> nodes) {}
