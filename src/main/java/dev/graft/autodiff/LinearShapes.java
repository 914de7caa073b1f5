package dev.graft.autodiff;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Matrix products, convolutions, and the attention operators that are made of them. */
final class LinearShapes {

  private LinearShapes() {}

  static void addTo(Map<String, ShapeRule> rules) {
    rules.put("MatMul", node -> List.of(product(node)));
    rules.put("com.microsoft.FusedMatMul", node -> List.of(product(node)));
    rules.put("Gemm", LinearShapes::gemm);
    rules.put("Conv", LinearShapes::convolved);
    rules.put("com.microsoft.Attention", LinearShapes::attention);
    rules.put("com.microsoft.MultiHeadAttention", LinearShapes::multiHead);
    rules.put("com.microsoft.GroupQueryAttention", LinearShapes::grouped);
  }

  private static Facts product(OpNode node) {
    Optional<List<Dim>> left = turned(node, 0, "transA");
    Optional<List<Dim>> right = turned(node, 1, "transB");
    if (left.isEmpty() || right.isEmpty() || left.get().isEmpty() || right.get().isEmpty()) {
      return Facts.unshaped(node.facts(0).type());
    }
    List<Dim> a = left.get();
    List<Dim> b = right.get();
    List<Dim> dims =
        new ArrayList<>(
            ElementwiseShapes.broadcast(List.of(batch(a), batch(b)), node.proto().getOutput(0)));
    if (a.size() > 1) {
      dims.add(a.get(a.size() - 2));
    }
    if (b.size() > 1) {
      dims.add(b.getLast());
    }
    return Facts.of(node.facts(0).type(), dims);
  }

  private static List<Dim> batch(List<Dim> dims) {
    return dims.size() < 2 ? List.of() : dims.subList(0, dims.size() - 2);
  }

  private static Optional<List<Dim>> turned(OpNode node, int input, String attribute) {
    Optional<List<Dim>> dims = node.facts(input).dims();
    if (dims.isEmpty() || dims.get().size() < 2 || node.intAttribute(attribute, 0) == 0) {
      return dims;
    }
    List<Dim> turned = new ArrayList<>(dims.get());
    Dim last = turned.removeLast();
    turned.add(turned.size() - 1, last);
    return Optional.of(turned);
  }

  private static List<Facts> gemm(OpNode node) {
    Optional<List<Dim>> a = turned(node, 0, "transA");
    Optional<List<Dim>> b = turned(node, 1, "transB");
    return List.of(
        a.isEmpty() || b.isEmpty()
            ? Facts.unshaped(node.facts(0).type())
            : Facts.of(node.facts(0).type(), List.of(a.get().getFirst(), b.get().getLast())));
  }

  private static List<Facts> convolved(OpNode node) {
    Facts x = node.facts(0);
    Facts w = node.facts(1);
    if (x.rank().isEmpty() || w.dim(0).isEmpty()) {
      return List.of(Facts.unshaped(x.type()));
    }
    int rank = x.rank().get();
    List<Dim> dims = new ArrayList<>(List.of(x.dims().get().getFirst(), w.dim(0).get()));
    for (int axis = 2; axis < rank; axis++) {
      Dim unknown = Dim.named("?%s.%d".formatted(node.proto().getOutput(0), axis));
      dims.add(extent(node, axis).map(Dim::of).orElse(unknown));
    }
    return List.of(Facts.of(x.type(), dims));
  }

  private static Optional<Long> extent(OpNode node, int axis) {
    Optional<Dim> length = node.facts(0).dim(axis).filter(Dim::isConstant);
    Optional<Dim> kernel = node.facts(1).dim(axis).filter(Dim::isConstant);
    boolean isPadded = !node.textAttribute("auto_pad", "NOTSET").equals("NOTSET");
    if (length.isEmpty() || kernel.isEmpty() || isPadded) {
      return Optional.empty();
    }
    int place = axis - 2;
    int spatial = node.facts(0).rank().orElseThrow() - 2;
    long pads =
        node.intsAttribute("pads").map(p -> p.get(place) + p.get(place + spatial)).orElse(0L);
    long stride = node.intsAttribute("strides").map(s -> s.get(place)).orElse(1L);
    long dilation = node.intsAttribute("dilations").map(d -> d.get(place)).orElse(1L);
    long window = dilation * (kernel.get().value() - 1) + 1;
    return Optional.of((length.get().value() + pads - window) / stride + 1);
  }

  private static List<Facts> attention(OpNode node) {
    Facts x = node.facts(0);
    Optional<Dim> packed = node.facts(1).dim(1);
    Optional<Dim> width =
        node.intsAttribute("qkv_hidden_sizes")
            .map(sizes -> Dim.of(sizes.get(2)))
            .or(() -> packed.flatMap(p -> p.over(Dim.of(3))));
    return List.of(width.isEmpty() ? Facts.unshaped(x.type()) : lastReplaced(x, width.get()));
  }

  private static List<Facts> multiHead(OpNode node) {
    Facts query = node.facts(0);
    Facts value = node.facts(2);
    Optional<Dim> width = value.rank().filter(r -> r == 3).flatMap(r -> value.dim(2));
    return List.of(
        width.isEmpty() || query.rank().orElse(0) != 3
            ? Facts.unshaped(query.type())
            : lastReplaced(query, width.get()));
  }

  private static List<Facts> grouped(OpNode node) {
    Facts query = node.facts(0);
    return List.of(
        node.hasInput(1)
            ? new Facts(query.type(), query.dims(), Optional.empty())
            : Facts.unshaped(query.type()));
  }

  private static Facts lastReplaced(Facts x, Dim width) {
    if (x.dims().isEmpty()) {
      return x;
    }
    List<Dim> dims = new ArrayList<>(x.dims().get());
    dims.set(dims.size() - 1, width);
    return Facts.of(x.type(), dims);
  }
}
