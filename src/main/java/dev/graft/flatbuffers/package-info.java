/**
 * The FlatBuffers wire format, which two of ONNX Runtime's files have: written without a schema
 * compiler, and read with every offset checked first.
 */
@NullMarked
package dev.graft.flatbuffers;

import org.jspecify.annotations.NullMarked;
