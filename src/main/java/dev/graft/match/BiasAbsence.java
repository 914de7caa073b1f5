package dev.graft.match;

import dev.graft.graph.GraphNode;
import dev.graft.graph.Use;
import dev.graft.graph.Value;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * Looks behind a product for whatever may hold its bias. Only where there is nothing of the kind
 * has the exporter left out a bias of zeros; a bias that went elsewhere would act beside a new one.
 */
final class BiasAbsence {

  private static final int MAX_STEPS = 1 << 12;

  /** Operators that hand their first input on, at most cut or turned. */
  private static final Set<String> MOVING =
      Set.of(
          "Identity",
          "Cast",
          "Reshape",
          "Flatten",
          "Transpose",
          "Squeeze",
          "Unsqueeze",
          "Split",
          "Slice",
          "Dropout");

  /** ONNX Runtime's operators that add no stored values to what they read. */
  private static final Set<String> HARMLESS =
      Set.of(
          "com.microsoft.FusedMatMul",
          "com.microsoft.TransposeMatMul",
          "com.microsoft.FusedGemm",
          "com.microsoft.GroupQueryAttention",
          "com.microsoft.RotaryEmbedding",
          "com.microsoft.QuickGelu",
          "com.microsoft.MatMulNBits");

  private final SiteIndex index;
  private final RepeatedCalls calls;
  private final WeightTracer tracer;

  BiasAbsence(SiteIndex index, RepeatedCalls calls, WeightTracer tracer) {
    this.index = index;
    this.calls = calls;
    this.tracer = tracer;
  }

  /** What may hold the bias of a site, as the end of a sentence; empty if nothing can. */
  Optional<String> doubt(Site site, String module) {
    GraphNode product = site.node();
    Deque<Value> open = new ArrayDeque<>();
    Set<Value> seen = new HashSet<>();
    product.output().ifPresent(o -> open.add(new Value(product.scope(), o)));
    while (!open.isEmpty()) {
      Value value = open.removeFirst();
      if (!seen.add(value)) {
        continue;
      }
      if (seen.size() > MAX_STEPS) {
        return Optional.of("too many operators read the product");
      }
      for (Use use : index.graph().uses(value)) {
        if (MOVING.contains(use.node().operator()) && use.input() == 0) {
          use.node().part().proto().getOutputList().stream()
              .filter(o -> !o.isEmpty())
              .forEach(o -> open.add(new Value(use.node().scope(), o)));
        } else if (mayAdd(use, module)) {
          return Optional.of(use.node() + " may hold the bias");
        }
      }
    }
    return Optional.empty();
  }

  /** The value that was cut or turned to make this one. */
  Value origin(Value value) {
    Value at = value;
    for (int i = 0; i < MAX_STEPS; i++) {
      Optional<Value> before =
          at.scope()
              .producer(at.name())
              .filter(n -> MOVING.contains(n.operator()))
              .flatMap(n -> n.input(0).flatMap(n.scope()::resolve));
      if (before.isEmpty()) {
        return at;
      }
      at = before.get();
    }
    return at;
  }

  private boolean mayAdd(Use use, String module) {
    GraphNode node = use.node();
    String operator = node.operator();
    if (index.graph().function(node.callee()).isPresent()) {
      return true;
    }
    return switch (operator) {
      case "Add", "Sub", "Sum" -> !isOfAnother(node, module) && hasStored(use, 0);
      case "com.microsoft.SkipLayerNormalization" -> node.input(4).isPresent();
      case "com.microsoft.SkipSimplifiedLayerNormalization" -> node.input(3).isPresent();
      default ->
          operator.startsWith("com.microsoft.")
              && !HARMLESS.contains(operator)
              && hasStored(use, 1);
    };
  }

  /** Whether the node says that it belongs to a module that is neither this one nor inside it. */
  private boolean isOfAnother(GraphNode node, String module) {
    List<SiteName> says = index.names().ofNode(new Reading(new Use(node, 0), List.of()));
    return !says.isEmpty() && says.stream().noneMatch(s -> calls.isWithin(s.module(), module));
  }

  /** Whether another input from {@code first} on is stored and no mere number. */
  private boolean hasStored(Use use, int first) {
    GraphNode node = use.node();
    for (int i = first; i < node.inputs().size(); i++) {
      boolean stored =
          i != use.input()
              && tracer.trace(node, i).stream().anyMatch(p -> p.tensor().shape().rank() > 0);
      if (stored) {
        return true;
      }
    }
    return false;
  }
}
