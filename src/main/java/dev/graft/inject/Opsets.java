package dev.graft.inject;

import dev.graft.error.UnsupportedException;
import dev.graft.graph.ModelGraph;
import dev.graft.graph.Scope;
import dev.graft.graph.Scope.FunctionId;
import dev.graft.onnx.proto.FunctionProto;
import dev.graft.onnx.proto.OperatorSetIdProto;
import java.util.List;
import java.util.Map;
import java.util.Optional;

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

  /** The version that holds in a graph or function body. */
  static Opsets in(ModelGraph graph, Scope scope) {
    List<OperatorSetIdProto> model = graph.model().proto().getOpsetImportList();
    long version =
        functionAround(scope).map(function -> imports(graph, function)).orElse(model).stream()
            .filter(o -> o.getDomain().isEmpty() || o.getDomain().equals("ai.onnx"))
            .mapToLong(OperatorSetIdProto::getVersion)
            .max()
            .orElse(0);
    return new Opsets(graph.model().path().toString(), version);
  }

  private static List<OperatorSetIdProto> imports(ModelGraph graph, FunctionId function) {
    return graph.model().proto().getFunctionsList().stream()
        .filter(f -> f.getName().equals(function.name()))
        .filter(f -> f.getDomain().equals(function.domain()))
        .filter(f -> f.getOverload().equals(function.overload()))
        .findFirst()
        .map(FunctionProto::getOpsetImportList)
        .orElse(List.of());
  }

  private static Optional<FunctionId> functionAround(Scope scope) {
    Scope outermost = scope;
    while (outermost.outer().isPresent()) {
      outermost = outermost.outer().get();
    }
    return outermost.function();
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
