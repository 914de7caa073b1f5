package dev.graft.match;

import dev.graft.graph.GraphNode;
import dev.graft.onnx.StoredTensor;
import dev.graft.tensor.Shape;
import java.util.List;

/**
 * A place in the graph where a weight acts.
 *
 * @param kind what the operator does with it
 * @param path the way from the operator to the weight
 * @param layout how the stored matrix is turned, Transposes on the way counted in
 * @param alpha the factor that the operator itself puts on the product
 * @param names what the site may be called, most trusted first
 */
public record Site(Kind kind, WeightPath path, Layout layout, float alpha, List<SiteName> names) {

  /** What an operator does with its weight. */
  public enum Kind {
    LINEAR,
    EMBEDDING,
    CONV,
    QUANTISED
  }

  /** Keeps an own copy. */
  public Site {
    names = List.copyOf(names);
  }

  /** The operator. */
  public GraphNode node() {
    return path.hops().getFirst().use().node();
  }

  /** The stored weight. */
  public StoredTensor tensor() {
    return path.tensor();
  }

  /**
   * The dimensions of the matrix that the operator multiplies with, which those of a weight in
   * packed bits do not show.
   */
  public Shape shape() {
    return kind == Kind.QUANTISED
        ? QuantisedProducts.shape(node(), tensor().shape())
        : tensor().shape();
  }

  /** The operator's input that reads the weight. */
  public Reading reading() {
    return path.reading();
  }

  /** The names that the node itself gives. */
  List<String> nodeNames() {
    return names.stream().filter(SiteName::isOfNode).map(SiteName::module).toList();
  }

  /** Whether the node says that it belongs to a module, under the module's own name or GenAI's. */
  boolean saysOfItself(String module) {
    return names.stream()
        .anyMatch(n -> n.module().equals(module) && (n.isOfNode() || n.rule() == NameRule.GENAI));
  }

  /** The most trusted rule under which the site has a name. */
  NameRule ruleFor(String module) {
    return names.stream()
        .filter(n -> n.module().equals(module))
        .map(SiteName::rule)
        .findFirst()
        .orElse(NameRule.REPEATED_CALL);
  }
}
