/**
 * The {@code .onnx_adapter} file, whose tensors ONNX Runtime feeds to a model's inputs of the same
 * names.
 */
@NullMarked
package dev.graft.onnxadapter;

import org.jspecify.annotations.NullMarked;
