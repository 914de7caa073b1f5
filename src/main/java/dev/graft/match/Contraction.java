package dev.graft.match;

import dev.graft.graph.GraphNode;
import dev.graft.graph.ModelGraph;
import dev.graft.graph.Use;
import dev.graft.graph.Value;
import dev.graft.onnx.proto.AttributeProto;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.EnumSet;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * Tells by the products that a stored weight takes part in which of its last two axes they sum
 * over: that is the axis of the inputs. Exporters pick experts out of the weight first.
 */
final class Contraction {

  private static final int MAX_STEPS = 1 << 16;

  private final ModelGraph graph;

  Contraction(ModelGraph graph) {
    this.graph = graph;
  }

  /** A value on the way and whether its last two axes are the stored ones the other way round. */
  private record Stop(Value value, Turn turn) {}

  /**
   * How the weight is turned.
   *
   * @return empty if no product reads it, or products disagree
   */
  Optional<Layout> of(Value root) {
    Set<Layout> seen = EnumSet.noneOf(Layout.class);
    Set<Stop> known = new HashSet<>();
    Deque<Stop> open = new ArrayDeque<>(List.of(new Stop(root, Turn.AS_IS)));
    while (!open.isEmpty() && known.size() < MAX_STEPS) {
      Stop stop = open.removeFirst();
      if (!known.add(stop)) {
        continue;
      }
      for (Use use : graph.uses(stop.value())) {
        product(use).map(l -> turned(l, stop.turn())).ifPresent(seen::add);
        if (use.input() == 0) {
          next(use.node(), stop.turn())
              .ifPresent(turn ->
                  use.node().part().proto().getOutputList().stream()
                      .filter(output -> !output.isEmpty())
                      .forEach(output ->
                          open.addLast(new Stop(new Value(use.node().scope(), output), turn))));
        }
      }
    }
    return seen.size() == 1 ? seen.stream().findFirst() : Optional.empty();
  }

  private static Layout turned(Layout layout, Turn turn) {
    return turn == Turn.TRANSPOSED ? layout.transposed() : layout;
  }

  /** What a product says of the matrix that it reads. */
  private static Optional<Layout> product(Use use) {
    return switch (use.node().operator()) {
      case "MatMul" -> Optional.of(use.input() == 1 ? Layout.IN_OUT : Layout.OUT_IN);
      case "Gemm" ->
          use.input() == 1
              ? Optional.of(
                  use.node().intAttribute("transB", 0) == 0 ? Layout.IN_OUT : Layout.OUT_IN)
              : Optional.empty();
      default -> Optional.empty();
    };
  }

  /** How an operator's outputs are turned that only picks or renames. */
  private static Optional<Turn> next(GraphNode node, Turn turn) {
    return switch (node.operator()) {
      case "Identity", "Cast", "Squeeze", "Unsqueeze" -> Optional.of(turn);
      case "Gather", "Split" ->
          node.intAttribute("axis", 0) == 0 ? Optional.of(turn) : Optional.empty();
      case "GatherND" ->
          node.intAttribute("batch_dims", 0) == 0 ? Optional.of(turn) : Optional.empty();
      case "Transpose" -> transposed(node, turn);
      default -> Optional.empty();
    };
  }

  private static Optional<Turn> transposed(GraphNode node, Turn turn) {
    List<Long> axes = node.attribute("perm").map(AttributeProto::getIntsList).orElse(List.of());
    boolean lastTwo = axes.equals(List.of(0L, 2L, 1L)) || axes.equals(List.of(1L, 0L));
    return lastTwo
        ? Optional.of(turn == Turn.AS_IS ? Turn.TRANSPOSED : Turn.AS_IS)
        : Optional.empty();
  }
}
