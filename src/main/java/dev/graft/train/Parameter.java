package dev.graft.train;

import dev.graft.tensor.Shape;

/**
 * A tensor that is trained, in float32, as the graph holds it.
 *
 * @param name its name in the graph
 * @param shape its dimensions in the graph
 * @param values its elements, which every optimizer step changes
 */
@SuppressWarnings("ArrayRecordComponent") // identity is what counts
record Parameter(String name, Shape shape, float[] values) {}
