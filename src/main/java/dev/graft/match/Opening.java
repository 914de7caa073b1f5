package dev.graft.match;

import dev.graft.graph.GraphNode;

/** A place in the graph where a parameter acts as soon as it is put there; nothing stands there. */
public sealed interface Opening {

  /** The operator. */
  GraphNode node();

  /**
   * The operator takes the parameter as one more input.
   *
   * @param node the operator
   * @param input which of its inputs, which it does not have yet
   */
  record Operand(GraphNode node, int input) implements Opening {}

  /**
   * An Add behind the operator adds the parameter to its first output. The sum takes the output's
   * name, so that nothing else changes.
   *
   * @param node the operator
   */
  record Addend(GraphNode node) implements Opening {}
}
