package dev.graft.autodiff;

/**
 * Recognises what a node and those before it compute together, and computes it in fewer nodes,
 * whose derivative is cheaper.
 */
interface Fusion {

  /**
   * Emits other nodes for what a node computes, and gives the node's output to them by {@link
   * Emitter#alias}.
   *
   * @param node the last node of the pattern; it is not part of the graph yet
   * @return whether the pattern was there; if not, nothing was emitted
   */
  boolean apply(OpNode node, Emitter emit);
}
