/**
 * Reverse-mode differentiation of ONNX graphs, from a scalar loss to the trainable tensors and
 * nowhere else; {@link dev.graft.autodiff.Differentiation} is the entry. One small class a rule.
 */
@NullMarked
package dev.graft.autodiff;

import org.jspecify.annotations.NullMarked;
