package dev.graft.match;

import dev.graft.graph.GraphNode;
import dev.graft.graph.Use;
import dev.graft.onnx.StoredTensor;
import java.util.List;
import java.util.Optional;

/**
 * A place in the graph where a weight acts.
 *
 * @param kind what the operator does with it
 * @param node the operator
 * @param path the way to the weight
 * @param layout how the stored matrix is turned, Transposes on the way counted in
 * @param alpha the factor that the operator itself puts on the product
 * @param names what the site may be called, most trusted first
 */
public record Site(
    Kind kind, GraphNode node, WeightPath path, Layout layout, float alpha, List<SiteName> names) {

  /** What an operator does with its weight. */
  public enum Kind {
    LINEAR,
    EMBEDDING,
    CONV,
    QUANTISED
  }

  /** The stored weight. */
  public StoredTensor tensor() {
    return path.tensor();
  }

  /** The operator's input that reads the weight. */
  Use reading() {
    return path.steps().getFirst();
  }

  /** The name that the node itself gives, if it does. */
  Optional<String> ownName() {
    return names.stream().filter(SiteName::isOfNode).map(SiteName::module).findFirst();
  }

  Optional<SiteName> named(String module) {
    return names.stream().filter(n -> n.module().equals(module)).findFirst();
  }
}
