package dev.graft.match;

import dev.graft.graph.GraphNode;
import dev.graft.graph.Use;
import java.util.List;

/**
 * An operator's input that reads a weight. Within a model-local function one input may read several
 * weights, one for each call.
 *
 * @param use the operator's input
 * @param calls the calls that the weight is handed through, from the operator outwards; empty if
 *     operator and weight are in the same function or in none
 */
public record Reading(Use use, List<GraphNode> calls) {

  /** Keeps an own copy. */
  public Reading {
    calls = List.copyOf(calls);
  }

  /** The operator. */
  public GraphNode node() {
    return use.node();
  }
}
