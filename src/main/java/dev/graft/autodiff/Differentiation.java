package dev.graft.autodiff;

/**
 * Adds to a forward graph the nodes that compute the gradients of its loss.
 *
 * <p>Only nodes that lie on a path from a trainable tensor to the loss are differentiated, each
 * once. A node that carries {@linkplain dev.graft.graph.StopGradient the stop mark} is a constant
 * to the gradient.
 */
public final class Differentiation {

  private Differentiation() {}

  /**
   * Differentiates.
   *
   * @throws dev.graft.error.FormatException if the graph has no such loss or trainable tensor, a
   *     cycle, or a value that nothing produces
   * @throws dev.graft.error.UnsupportedException if a node on the path has no rule, or the loss
   *     does not depend on a trainable tensor; the message names the node, its operator and its
   *     module
   */
  public static GradientGraph of(Objective objective) {
    return new Walk(objective).gradients();
  }
}
