package dev.graft.autodiff;

/**
 * The derivative of one operator: from the gradients of a node's outputs to those of its inputs.
 * Each rule's header has the algebra, with dX for the derivative of the loss with respect to X.
 */
interface Rule {

  /** Emits the nodes that compute the gradients of the inputs that want one, and gives them. */
  void apply(Differential d);
}
