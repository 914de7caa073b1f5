package dev.graft.onnx;

import dev.graft.tensor.DType;
import dev.graft.tensor.Shape;

/**
 * A tensor that a patch adds to a graph.
 *
 * @param name a name that is free in the whole model
 * @param dtype its element type
 * @param shape its dimensions
 * @param content its values
 */
public record NewTensor(String name, DType dtype, Shape shape, TensorContent content) {}
