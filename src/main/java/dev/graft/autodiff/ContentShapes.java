package dev.graft.autodiff;

import dev.graft.onnx.proto.TensorProto;
import dev.graft.tensor.DType;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Operators that exporters compute shapes with. Besides shapes, these rules follow the elements of
 * short integer tensors, so that a Reshape by {@code Concat(Gather(Shape(x), 0), -1)} is
 * understood.
 */
final class ContentShapes {

  private static final int MAX_CONTENT = 64;

  private ContentShapes() {}

  /** A function of two elements; empty where the result is known at run time only. */
  private interface Binary {
    Optional<Dim> of(Dim a, Dim b);
  }

  static void addTo(Map<String, ShapeRule> rules) {
    rules.put("Add", elementwise((a, b) -> Optional.of(a.plus(b))));
    rules.put("Sum", elementwise((a, b) -> Optional.of(a.plus(b))));
    rules.put("Sub", elementwise((a, b) -> Optional.of(a.minus(b))));
    rules.put("Mul", elementwise((a, b) -> Optional.of(a.times(b))));
    rules.put("Div", elementwise(ContentShapes::quotient));
    rules.put(
        "Max",
        elementwise(
            (a, b) -> extreme(a, b, a.isConstant() && b.isConstant() && a.value() > b.value())));
    rules.put(
        "Min",
        elementwise(
            (a, b) -> extreme(a, b, a.isConstant() && b.isConstant() && a.value() < b.value())));
    rules.put("Mod", elementwise(ContentShapes::remainder));
    rules.put("Equal", ContentShapes::equal);
    rules.put("Neg", ContentShapes::negated);
    rules.put("Identity", node -> List.of(node.facts(0)));
    rules.put("Cast", ContentShapes::cast);
    rules.put("CastLike", node -> List.of(cast(node.facts(0), node.facts(1).type())));
    rules.put("Shape", ContentShapes::shape);
    rules.put("Size", ContentShapes::size);
    rules.put("Constant", ContentShapes::constant);
    rules.put("ConstantOfShape", ContentShapes::filled);
    rules.put("Where", ContentShapes::where);
    rules.put("Range", ContentShapes::range);
  }

  private static ShapeRule elementwise(Binary operation) {
    return node -> {
      Facts result = ElementwiseShapes.broadcast(node, node.facts(0).type());
      Optional<List<Dim>> content = node.facts(0).content();
      for (int i = 1; i < node.inputs() && content.isPresent(); i++) {
        content = combined(content.get(), node.facts(i).content(), operation);
      }
      return List.of(content.map(result::holding).orElse(result));
    };
  }

  private static Optional<List<Dim>> combined(
      List<Dim> a, Optional<List<Dim>> others, Binary operation) {
    if (others.isEmpty()) {
      return Optional.empty();
    }
    List<Dim> b = others.get();
    int count = a.size() == 1 ? b.size() : a.size();
    if (b.size() != count && b.size() != 1) {
      return Optional.empty();
    }
    List<Dim> result = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      Optional<Dim> element =
          operation.of(a.get(a.size() == 1 ? 0 : i), b.get(b.size() == 1 ? 0 : i));
      if (element.isEmpty()) {
        return Optional.empty();
      }
      result.add(element.get());
    }
    return Optional.of(result);
  }

  private static Optional<Dim> quotient(Dim a, Dim b) {
    if (b.is(0)) {
      return Optional.empty();
    }
    if (a.isConstant() && b.isConstant()) {
      return Optional.of(Dim.of(a.value() / b.value()));
    }
    return Optional.of(a.over(b).orElseGet(() -> Dim.named("(%s)/(%s)".formatted(a, b))));
  }

  private static Optional<Dim> remainder(Dim a, Dim b) {
    return a.isConstant() && b.isConstant() && !b.is(0)
        ? Optional.of(Dim.of(Math.floorMod(a.value(), b.value())))
        : Optional.empty();
  }

  private static Optional<Dim> extreme(Dim a, Dim b, boolean isFirst) {
    if (a.equals(b)) {
      return Optional.of(a);
    }
    // Max is how shapes are broadcast by some exporters: no length is below 1 there.
    if (!a.isConstant() || !b.isConstant()) {
      return Optional.empty();
    }
    return Optional.of(isFirst ? a : b);
  }

  /** Lengths are not negative, so that a named one never equals -1. */
  private static List<Facts> equal(OpNode node) {
    Facts result = ElementwiseShapes.broadcast(node, Optional.of(DType.BOOL));
    Binary test =
        (a, b) -> {
          if (a.equals(b)) {
            return Optional.of(Dim.ONE);
          }
          boolean bothKnown = a.isConstant() && b.isConstant();
          boolean oneNegative = isNegative(a) || isNegative(b);
          return bothKnown || oneNegative ? Optional.of(Dim.ZERO) : Optional.empty();
        };
    return List.of(
        node.facts(0)
            .content()
            .flatMap(a -> combined(a, node.facts(1).content(), test))
            .map(result::holding)
            .orElse(result));
  }

  private static boolean isNegative(Dim dim) {
    return dim.isConstant() && dim.value() < 0;
  }

  private static List<Facts> negated(OpNode node) {
    Facts x = node.facts(0);
    return List.of(
        new Facts(
            x.type(),
            x.dims(),
            x.content().map(c -> c.stream().map(d -> Dim.ZERO.minus(d)).toList())));
  }

  private static List<Facts> cast(OpNode node) {
    return List.of(cast(node.facts(0), DType.ofOnnx(Math.toIntExact(node.intAttribute("to", 0)))));
  }

  private static Facts cast(Facts x, Optional<DType> type) {
    boolean isCount = type.filter(t -> t == DType.INT64 || t == DType.INT32).isPresent();
    return new Facts(type, x.dims(), x.content().filter(c -> isCount));
  }

  private static List<Facts> shape(OpNode node) {
    Optional<List<Dim>> dims = node.facts(0).dims();
    if (dims.isEmpty()) {
      return List.of(Facts.unshaped(Optional.of(DType.INT64)));
    }
    int rank = dims.get().size();
    int start = clamped(node.intAttribute("start", 0), rank);
    int end = clamped(node.intAttribute("end", rank), rank);
    return List.of(Facts.vector(dims.get().subList(start, Math.max(start, end))));
  }

  private static int clamped(long place, int rank) {
    return Math.clamp(place < 0 ? place + rank : place, 0, rank);
  }

  private static List<Facts> size(OpNode node) {
    Facts scalar = Facts.of(DType.INT64, List.of());
    return List.of(
        node.facts(0).dims().map(d -> scalar.holding(List.of(Dim.product(d)))).orElse(scalar));
  }

  private static List<Facts> constant(OpNode node) {
    return List.of(constantTensor(node).map(Tensors::facts).orElse(Facts.NONE));
  }

  /** The tensor that a Constant node stands for, in whichever attribute it is written. */
  static Optional<TensorProto> constantTensor(OpNode node) {
    return node.attribute("value")
        .map(a -> a.getT())
        .or(() -> node.attribute("value_int").map(a -> Tensors.integer("", a.getI())))
        .or(() ->
            node.attribute("value_float").map(a -> Tensors.scalar("", DType.FLOAT32, a.getF())))
        .or(() ->
            node.intsAttribute("value_ints")
                .map(v -> Tensors.vector("", v.stream().mapToLong(Long::longValue).toArray())));
  }

  private static List<Facts> filled(OpNode node) {
    Optional<TensorProto> value = node.attribute("value").map(a -> a.getT());
    Optional<DType> type =
        value.isPresent() ? DType.ofOnnx(value.get().getDataType()) : Optional.of(DType.FLOAT32);
    Optional<List<Dim>> dims = node.facts(0).content();
    if (dims.isEmpty()) {
      return List.of(Facts.unshaped(type));
    }
    Facts result = Facts.of(type, dims.get());
    Dim elements = Dim.product(dims.get());
    Optional<long[]> element = value.flatMap(Tensors::integers);
    boolean isList = dims.get().size() < 2 && elements.isConstant();
    if (isList && element.isPresent() && elements.value() <= MAX_CONTENT) {
      int count = Math.toIntExact(elements.value());
      return List.of(result.holding(Collections.nCopies(count, Dim.of(element.get()[0]))));
    }
    return List.of(result);
  }

  private static List<Facts> where(OpNode node) {
    Facts result = ElementwiseShapes.broadcast(node, node.facts(1).type());
    Optional<long[]> choice = node.facts(0).numbers();
    Optional<List<Dim>> yes = node.facts(1).content();
    Optional<List<Dim>> no = node.facts(2).content();
    if (choice.isEmpty() || yes.isEmpty() || no.isEmpty() || result.dims().isEmpty()) {
      return List.of(result);
    }
    int count = Math.max(choice.get().length, Math.max(yes.get().size(), no.get().size()));
    List<Dim> chosen = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      boolean isYes = choice.get()[choice.get().length == 1 ? 0 : i] != 0;
      List<Dim> from = isYes ? yes.get() : no.get();
      chosen.add(from.get(from.size() == 1 ? 0 : i));
    }
    return List.of(result.holding(chosen));
  }

  private static List<Facts> range(OpNode node) {
    Optional<DType> type = node.facts(0).type();
    Optional<List<Dim>> start = node.facts(0).content();
    Optional<List<Dim>> limit = node.facts(1).content();
    Optional<long[]> step = node.facts(2).numbers();
    Dim length = Dim.named("?" + node.proto().getOutput(0));
    if (start.isPresent() && limit.isPresent() && step.isPresent() && step.get()[0] == 1) {
      Dim difference = limit.get().getFirst().minus(start.get().getFirst());
      boolean isEmpty = difference.isConstant() && difference.value() < 0;
      length = isEmpty ? Dim.ZERO : difference;
    }
    return List.of(Facts.of(type, List.of(length)));
  }
}
