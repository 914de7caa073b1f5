/**
 * Puts an adapter's low-rank branches beside the weights of a model: {@code W·x + s·B(A·x)}. The
 * base's nodes and weights stay as they are.
 */
@NullMarked
package dev.graft.inject;

import org.jspecify.annotations.NullMarked;
