package dev.graft.inject;

import dev.graft.error.UnsupportedException;
import dev.graft.graph.GraphNode;
import dev.graft.graph.ModelGraph;
import dev.graft.graph.Scope;
import dev.graft.onnx.proto.OperatorSetIdProto;
import java.util.Map;

/** Which version of ONNX's operators new nodes have to be written for. */
final class Opsets {

  /** From here on an operator has the inputs and the broadcasting that branches rely on. */
  private static final Map<String, Long> NEEDED =
      Map.of(
          "Add", 7L,
          "Cast", 6L,
          "Concat", 11L,
          "Div", 7L,
          "Mul", 7L,
          "Pad", 11L,
          "Reshape", 5L,
          "Slice", 10L,
          "Sub", 7L);

  private final String model;
  private final long version;

  private Opsets(String model, long version) {
    this.model = model;
    this.version = version;
  }

  /**
   * The version that holds where a branch is to be put.
   *
   * @throws UnsupportedException if that is in a model-local function: it sees no initializers, but
   *     would need them as inputs at every call
   */
  static Opsets in(ModelGraph graph, GraphNode node) {
    requireGraph(graph, node);
    long version =
        graph.model().proto().getOpsetImportList().stream()
            .filter(o -> o.getDomain().isEmpty() || o.getDomain().equals("ai.onnx"))
            .mapToLong(OperatorSetIdProto::getVersion)
            .max()
            .orElse(0);
    return new Opsets(graph.model().path().toString(), version);
  }

  private static void requireGraph(ModelGraph graph, GraphNode node) {
    Scope outermost = node.scope();
    while (outermost.outer().isPresent()) {
      outermost = outermost.outer().get();
    }
    if (outermost.function().isPresent()) {
      throw new UnsupportedException(
          "%s: %s lies in a model-local function, for which no branch is known; inline the functions first (onnx.inliner.inline_local_functions)"
              .formatted(graph.model().path(), node));
    }
  }

  /** Whether reductions take their axes as an input, not as an attribute. */
  boolean reducesByInput() {
    return version >= 18;
  }

  /**
   * Returns if an operator is there as branches need it.
   *
   * @throws UnsupportedException if the model's operators are older
   */
  void require(String operator) {
    long needed = NEEDED.getOrDefault(operator, 1L);
    if (version < needed) {
      throw new UnsupportedException(
          "%s: a branch needs %s as of opset %d, but the model uses opset %d; export with opset %d or later"
              .formatted(model, operator, needed, version, needed));
    }
  }
}
