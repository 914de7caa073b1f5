package dev.graft.autodiff;

/**
 * Writes a node that has no rule of its own in operators that have one. Only nodes that a gradient
 * flows through are lowered; the others keep the runtime's fused kernels.
 */
interface Lowering {

  /**
   * Emits operators that compute what the node computes.
   *
   * @param node the node, whose outputs the emitter is to be told by {@link Emitter#alias}
   */
  void apply(OpNode node, Emitter emit);
}
