package dev.graft.autodiff;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;

/** Operators that take axes away, or leave them with length 1. */
final class ReductionShapes {

  private ReductionShapes() {}

  static void addTo(Map<String, ShapeRule> rules) {
    Stream.of(
            "ReduceMean",
            "ReduceSum",
            "ReduceMax",
            "ReduceMin",
            "ReduceProd",
            "ReduceL1",
            "ReduceL2",
            "ReduceSumSquare",
            "ReduceLogSumExp")
        .forEach(op -> rules.put(op, ReductionShapes::reduced));
  }

  private static List<Facts> reduced(OpNode node) {
    Facts x = node.facts(0);
    Optional<long[]> axes = node.integers("axes", 1);
    if (x.dims().isEmpty() || (axes.isEmpty() && node.hasInput(1))) {
      return List.of(isTotal(node) ? Facts.of(x.type(), List.of()) : Facts.unshaped(x.type()));
    }
    int rank = x.dims().get().size();
    Set<Integer> gone = new TreeSet<>(reducedAxes(node, rank));
    boolean keeps = node.intAttribute("keepdims", 1) != 0;
    List<Dim> dims = new ArrayList<>();
    for (int i = 0; i < rank; i++) {
      if (!gone.contains(i)) {
        dims.add(x.dims().get().get(i));
      } else if (keeps) {
        dims.add(Dim.ONE);
      }
    }
    Facts result = Facts.of(x.type(), dims);
    boolean isProduct = node.operator().equals("ReduceProd") && dims.size() < 2;
    return List.of(
        x.content()
            .filter(c -> isProduct && gone.size() == rank)
            .map(c -> result.holding(List.of(Dim.product(c))))
            .orElse(result));
  }

  /** Whether a reduction takes all axes away, however many there are. */
  static boolean isTotal(OpNode node) {
    return !node.hasInput(1)
        && node.intsAttribute("axes").isEmpty()
        && node.intAttribute("noop_with_empty_axes", 0) == 0
        && node.intAttribute("keepdims", 1) == 0;
  }

  /** The axes that a reduction takes away, whose input for them is known or absent. */
  static List<Integer> reducedAxes(OpNode node, int rank) {
    Optional<long[]> axes = node.integers("axes", 1).filter(a -> a.length > 0);
    if (axes.isPresent()) {
      return MovementShapes.places(axes.get(), rank);
    }
    if (node.intAttribute("noop_with_empty_axes", 0) != 0) {
      return List.of();
    }
    List<Integer> all = new ArrayList<>();
    for (int i = 0; i < rank; i++) {
      all.add(i);
    }
    return all;
  }
}
