package dev.graft.onnx;

import dev.graft.onnx.proto.ModelProto;

/**
 * What a scan leaves of a file.
 *
 * @param skeleton the model without its large payloads
 * @param root the places of its messages
 */
record Scan(ModelProto skeleton, MessageSpan root) {}
