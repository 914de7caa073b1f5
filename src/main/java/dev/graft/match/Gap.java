package dev.graft.match;

import dev.graft.graph.GraphNode;
import dev.graft.tensor.DType;
import java.util.List;

/**
 * A parameter that the graph lacks and is to get. Exporters leave out biases of zeros.
 *
 * @param name what the file would call it
 * @param dtype the type that its operators compute in
 * @param length how many values its operators can take in the base
 * @param openings where it is to act, the same values in all of them
 */
public record Gap(String name, DType dtype, long length, List<Opening> openings) {

  /** Keeps an own copy. */
  public Gap {
    openings = List.copyOf(openings);
  }

  /** What the operators multiply the parameter with. */
  float factor() {
    GraphNode node = openings.getFirst().node();
    return openings.getFirst() instanceof Opening.Operand && node.operator().endsWith("Gemm")
        ? node.floatAttribute("beta", 1f)
        : 1f;
  }
}
