/**
 * Trains an adapter on the ONNX graph that it will be merged into: data, losses, optimisers,
 * schedules, and the folders that PEFT and the Hugging Face Trainer read.
 */
@NullMarked
package dev.graft.train;

import org.jspecify.annotations.NullMarked;
