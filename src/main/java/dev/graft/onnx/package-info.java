/**
 * ONNX files without their weights: a scanner that leaves a small skeleton and byte ranges, the
 * tensors of the file as sources, and patches that turn a file into another one by replacing
 * ranges.
 */
@NullMarked
package dev.graft.onnx;

import org.jspecify.annotations.NullMarked;
