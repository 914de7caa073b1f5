package dev.graft.autodiff;

import dev.graft.tensor.DType;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/** Operators that work element by element, with broadcasting where they have several inputs. */
final class ElementwiseShapes {

  private static final List<String> SAME =
      List.of(
          "Abs",
          "Acos",
          "Asin",
          "Atan",
          "Ceil",
          "Clip",
          "Cos",
          "CumSum",
          "Elu",
          "Erf",
          "Exp",
          "Floor",
          "Gelu",
          "HardSigmoid",
          "LeakyRelu",
          "Log",
          "LogSoftmax",
          "Mish",
          "Not",
          "Reciprocal",
          "Relu",
          "Round",
          "ScatterElements",
          "ScatterND",
          "Selu",
          "Sigmoid",
          "Sign",
          "Sin",
          "Softmax",
          "Softplus",
          "Sqrt",
          "Tan",
          "Tanh",
          "Trilu",
          "LpNormalization",
          "RMSNormalization",
          "RotaryEmbedding",
          "com.microsoft.Gelu",
          "com.microsoft.FastGelu",
          "com.microsoft.QuickGelu",
          "com.microsoft.BiasGelu",
          "com.microsoft.RotaryEmbedding");
  private static final List<String> TRUTHS =
      List.of("Equal", "Greater", "GreaterOrEqual", "Less", "LessOrEqual", "And", "Or", "Xor");

  private ElementwiseShapes() {}

  static void addTo(Map<String, ShapeRule> rules) {
    SAME.forEach(op -> rules.put(op, node -> List.of(unheld(node.facts(0)))));
    Stream.of("Pow", "PRelu", "Mean")
        .forEach(op -> rules.put(op, node -> List.of(broadcast(node, node.facts(0).type()))));
    TRUTHS.stream()
        .filter(op -> !op.equals("Equal"))
        .forEach(op -> rules.put(op, node -> List.of(broadcast(node, Optional.of(DType.BOOL)))));
    rules.put("Dropout", node -> List.of(unheld(node.facts(0)), bool(node.facts(0))));
    rules.put("IsNaN", node -> List.of(bool(node.facts(0))));
    rules.put("IsInf", node -> List.of(bool(node.facts(0))));
    rules.put("LayerNormalization", ElementwiseShapes::normalised);
    rules.put("SimplifiedLayerNormalization", ElementwiseShapes::simplified);
    rules.put("com.microsoft.SkipLayerNormalization", ElementwiseShapes::skipped);
    rules.put("com.microsoft.SkipSimplifiedLayerNormalization", ElementwiseShapes::skipped);
  }

  private static Facts unheld(Facts facts) {
    return new Facts(facts.type(), facts.dims(), Optional.empty());
  }

  private static Facts bool(Facts facts) {
    return new Facts(Optional.of(DType.BOOL), facts.dims(), Optional.empty());
  }

  /** LayerNormalization: Y, and mean and inverse deviation with the normalised axes of length 1. */
  private static List<Facts> normalised(OpNode node) {
    Facts statistic = statistic(node);
    return List.of(unheld(node.facts(0)), statistic, statistic);
  }

  private static List<Facts> simplified(OpNode node) {
    return List.of(unheld(node.facts(0)), statistic(node));
  }

  private static Facts statistic(OpNode node) {
    Facts x = node.facts(0);
    if (x.dims().isEmpty()) {
      return Facts.unshaped(Optional.of(DType.FLOAT32));
    }
    List<Dim> dims = new ArrayList<>(x.dims().get());
    for (int i = node.axis(-1, dims.size()); i < dims.size(); i++) {
      dims.set(i, Dim.ONE);
    }
    return Facts.of(x.type(), dims);
  }

  private static List<Facts> skipped(OpNode node) {
    Facts same = unheld(node.facts(0));
    return List.of(same, Facts.NONE, Facts.NONE, same);
  }

  /** All inputs of a node broadcast against each other. */
  static Facts broadcast(OpNode node, Optional<DType> type) {
    List<List<Dim>> shapes = new ArrayList<>();
    for (int i = 0; i < node.inputs(); i++) {
      Optional<List<Dim>> dims = node.facts(i).dims();
      if (dims.isEmpty()) {
        return Facts.unshaped(type);
      }
      shapes.add(dims.get());
    }
    return Facts.of(type, broadcast(shapes, node.proto().getOutput(0)));
  }

  /**
   * The shape that several are broadcast to.
   *
   * @param name what a length is named after that depends on which of two turns out to be 1
   */
  static List<Dim> broadcast(List<List<Dim>> shapes, String name) {
    int rank = shapes.stream().mapToInt(List::size).max().orElse(0);
    List<Dim> result = new ArrayList<>();
    for (int i = 0; i < rank; i++) {
      Dim length = Dim.ONE;
      for (List<Dim> shape : shapes) {
        int place = i - (rank - shape.size());
        length = place < 0 ? length : common(length, shape.get(place), "?%s.%d".formatted(name, i));
      }
      result.add(length);
    }
    return result;
  }

  private static Dim common(Dim a, Dim b, String name) {
    if (a.equals(b) || b.is(1)) {
      return a;
    }
    if (a.is(1)) {
      return b;
    }
    // A length that is known and not 1 wins: the other one is either the same or 1.
    if (a.isConstant()) {
      return a;
    }
    return b.isConstant() ? b : Dim.named(name);
  }
}
