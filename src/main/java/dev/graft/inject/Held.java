package dev.graft.inject;

import dev.graft.onnx.GraphEdit;
import java.util.List;

/**
 * The branches that were found in a model.
 *
 * @param name what the adapter is called
 * @param modules where they are
 * @param tensors what they are made of
 * @param removal the edits that leave the base: nodes and initializers gone, names and readings as
 *     they were before
 */
record Held(
    String name, List<HeldModule> modules, List<HeldTensor> tensors, List<GraphEdit> removal) {

  /** Keeps own copies. */
  Held {
    modules = List.copyOf(modules);
    tensors = List.copyOf(tensors);
    removal = List.copyOf(removal);
  }
}
