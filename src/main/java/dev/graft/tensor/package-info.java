/**
 * What a tensor is apart from any file format: element type, shape, where its bytes lie, how floats
 * are coded.
 */
@NullMarked
package dev.graft.tensor;

import org.jspecify.annotations.NullMarked;
