package dev.graft.safetensors;

import dev.graft.tensor.DType;
import dev.graft.tensor.Shape;
import dev.graft.tensor.TensorSource;

/**
 * One tensor of a safetensors file. Its size and place were checked when the file was opened.
 *
 * @param name the key in the header
 * @param dtype element type
 * @param shape dimensions, outermost first
 * @param source where its bytes lie, little-endian and in row-major order
 */
public record SafetensorsTensor(String name, DType dtype, Shape shape, TensorSource source) {}
