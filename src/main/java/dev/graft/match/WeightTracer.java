package dev.graft.match;

import dev.graft.graph.GraphNode;
import dev.graft.graph.ModelGraph;
import dev.graft.graph.Scope;
import dev.graft.graph.Use;
import dev.graft.graph.Value;
import dev.graft.match.WeightPath.Step;
import dev.graft.onnx.StoredTensor;
import dev.graft.onnx.proto.AttributeProto;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Walks from an operator's input back through Identity, Transpose, Cast and DequantizeLinear to the
 * stored weight. A function's formal input is followed to its only call.
 */
final class WeightTracer {

  private static final int MAX_STEPS = 16;

  private final ModelGraph graph;

  WeightTracer(ModelGraph graph) {
    this.graph = graph;
  }

  /** The way to the weight, or empty if the input is computed from the model's inputs. */
  Optional<WeightPath> trace(GraphNode node, int input) {
    List<Value> values = new ArrayList<>();
    List<Use> steps = new ArrayList<>();
    Step transposes = Step.ABSENT;
    Step quantised = Step.ABSENT;
    Use use = new Use(node, input);
    while (steps.size() < MAX_STEPS) {
      Optional<Value> value = use.node().input(use.input()).flatMap(use.node().scope()::resolve);
      if (value.isEmpty()) {
        return Optional.empty();
      }
      values.add(value.get());
      steps.add(use);
      Optional<StoredTensor> stored = stored(value.get());
      if (stored.isPresent()) {
        return Optional.of(
            new WeightPath(
                stored.get(), transposes, quantised, List.copyOf(values), List.copyOf(steps)));
      }
      Optional<Use> next = before(value.get());
      if (next.isEmpty()) {
        return Optional.empty();
      }
      String operator = next.get().node().operator();
      if (operator.equals("Transpose")) {
        if (!swapsTwoAxes(next.get().node())) {
          return Optional.empty();
        }
        transposes = transposes.flipped();
      } else if (operator.equals("DequantizeLinear")) {
        quantised = Step.PRESENT;
      }
      use = next.get();
    }
    return Optional.empty();
  }

  /** The initializer or Constant that a value is. */
  static Optional<StoredTensor> stored(Value value) {
    Optional<GraphNode> producer = value.scope().producer(value.name());
    if (producer.isPresent()) {
      return producer
          .filter(p -> p.operator().equals("Constant"))
          .map(p -> p.part().tensors().get("value"));
    }
    return value.scope().initializer(value.name());
  }

  private Optional<Use> before(Value value) {
    Optional<GraphNode> producer = value.scope().producer(value.name());
    if (producer.isPresent()) {
      return producer.filter(WeightTracer::isTransparent).map(p -> new Use(p, 0));
    }
    Scope scope = value.scope();
    Optional<Integer> formal = scope.input(value.name());
    if (formal.isPresent() && scope.function().isPresent()) {
      List<GraphNode> calls = graph.calls(scope.function().get());
      if (calls.size() == 1) {
        return Optional.of(new Use(calls.getFirst(), formal.get()));
      }
    }
    return Optional.empty();
  }

  static boolean isTransparent(GraphNode node) {
    return switch (node.operator()) {
      case "Identity", "Transpose", "Cast", "DequantizeLinear" -> true;
      default -> false;
    };
  }

  private static boolean swapsTwoAxes(GraphNode node) {
    Optional<AttributeProto> perm = node.attribute("perm");
    return perm.isEmpty() || perm.get().getIntsList().equals(List.of(1L, 0L));
  }
}
