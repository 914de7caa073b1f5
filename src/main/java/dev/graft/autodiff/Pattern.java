package dev.graft.autodiff;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Looks back from a value at the nodes that made it. */
record Pattern(Draft draft) {

  private static final double ROUGHLY = 1e-3;

  /**
   * The node that made a value, if it is of the operator. Casts that change nothing are skipped.
   */
  Optional<OpNode> made(String value, String operator) {
    return draft
        .producer(source(value))
        .map(node -> new OpNode(node, draft))
        .filter(node -> node.operator().equals(operator));
  }

  /** A value before casts to the type that it has, and copies. */
  String source(String value) {
    return draft
        .producer(value)
        .map(node -> new OpNode(node, draft))
        .filter(this::changesNothing)
        .map(node -> source(node.input(0)))
        .orElse(value);
  }

  private boolean changesNothing(OpNode node) {
    return switch (node.operator()) {
      case "Identity" -> true;
      case "Cast" -> {
        Facts out = draft.facts(node.proto().getOutput(0));
        yield out.isFloat() && out.type().equals(node.facts(0).type());
      }
      default -> false;
    };
  }

  boolean isSame(String a, String b) {
    return source(a).equals(source(b));
  }

  /** Whether a value is a constant near a number; exporters round differently. */
  boolean isNumber(String value, double number) {
    return draft
        .number(value)
        .filter(found -> Math.abs(found - number) <= ROUGHLY * Math.abs(number))
        .isPresent();
  }

  /** The other input of a node of two, if one of them is the value. */
  Optional<String> other(OpNode node, String value) {
    if (isSame(node.input(0), value)) {
      return Optional.of(node.input(1));
    }
    return isSame(node.input(1), value) ? Optional.of(node.input(0)) : Optional.empty();
  }

  /** The other input of a node of two, if one of them is a constant near a number. */
  Optional<String> besides(OpNode node, double number) {
    if (isNumber(node.input(0), number)) {
      return Optional.of(node.input(1));
    }
    return isNumber(node.input(1), number) ? Optional.of(node.input(0)) : Optional.empty();
  }

  /** The factors of a product of products, two deep. */
  List<String> factors(OpNode product) {
    List<String> factors = new ArrayList<>();
    for (int i = 0; i < 2; i++) {
      Optional<OpNode> inner = made(product.input(i), "Mul");
      if (inner.isPresent()) {
        factors.add(inner.get().input(0));
        factors.add(inner.get().input(1));
      } else {
        factors.add(product.input(i));
      }
    }
    return factors;
  }

  /** What was squared, if a value is a square. */
  Optional<String> squared(String value) {
    Optional<String> power =
        made(value, "Pow").filter(pow -> isNumber(pow.input(1), 2)).map(pow -> pow.input(0));
    return power.or(() ->
        made(value, "Mul")
            .filter(mul -> isSame(mul.input(0), mul.input(1)))
            .map(mul -> mul.input(0)));
  }

  /** What the mean was taken of, if a value is a mean over the last axis, which stays. */
  Optional<String> mean(String value) {
    return made(value, "ReduceMean")
        .filter(mean -> mean.intAttribute("keepdims", 1) != 0 && isOverLast(mean))
        .map(mean -> mean.input(0));
  }

  private static boolean isOverLast(OpNode mean) {
    Optional<long[]> axes = mean.integers("axes", 1);
    int rank = mean.facts(0).rank().orElse(0);
    return axes.filter(a -> a.length == 1 && (a[0] == -1 || a[0] == rank - 1)).isPresent();
  }

  /** Whether a value is a vector as long as the last axis of another. */
  boolean isAlongLast(String vector, String of) {
    Facts facts = draft.facts(vector);
    return facts.rank().orElse(0) == 1 && facts.dim(0).equals(draft.facts(of).dim(-1));
  }
}
