package dev.graft.match;

import dev.graft.graph.GraphNode;
import dev.graft.graph.ModelGraph;
import dev.graft.graph.Use;
import dev.graft.graph.Value;
import dev.graft.match.Resized.Size;
import dev.graft.onnx.StoredTensor;
import dev.graft.onnx.proto.AttributeProto;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * What an operator makes of an input of which one dimension has another length. Whatever is not
 * known to follow it is refused: a Reshape to the old number of labels would fail at run time, and
 * a Slice would leave some of them out.
 */
final class SizeRules {

  private static final Set<String> SAME_SHAPE =
      Set.of(
          "Identity",
          "Cast",
          "CastLike",
          "Relu",
          "Sigmoid",
          "HardSigmoid",
          "Tanh",
          "Softmax",
          "LogSoftmax",
          "Gelu",
          "Erf",
          "Exp",
          "Log",
          "Neg",
          "Abs",
          "Sqrt",
          "Softplus",
          "Elu",
          "LeakyRelu",
          "Clip",
          "Dropout",
          "IsNaN",
          "Not",
          "Reciprocal",
          "com.microsoft.QuickGelu");

  /** Operators that broadcast all their inputs against each other. */
  static final Set<String> ELEMENTWISE =
      Set.of(
          "Add",
          "Sub",
          "Mul",
          "Div",
          "Pow",
          "Max",
          "Min",
          "Sum",
          "Mean",
          "Where",
          "Equal",
          "Greater",
          "GreaterOrEqual",
          "Less",
          "LessOrEqual",
          "And",
          "Or");

  private final Ranks ranks;

  SizeRules(Ranks ranks) {
    this.ranks = ranks;
  }

  /** What becomes of a size. */
  sealed interface Effect {

    /** No output has it. */
    record Ends() implements Effect {}

    /** The outputs have it on this axis. */
    record GoesOn(int axis) implements Effect {}

    /** It cannot be said. */
    record Doubt(String reason) implements Effect {}
  }

  private static final Effect ENDS = new Effect.Ends();

  private static Effect doubt(Use use, String why) {
    return new Effect.Doubt(use.node() + " " + why);
  }

  /** What an operator makes of one of its inputs. */
  Effect effect(Use use, Size size) {
    GraphNode node = use.node();
    String operator = node.operator();
    if (SAME_SHAPE.contains(operator)) {
      return use.input() == 0
          ? new Effect.GoesOn(size.axis())
          : doubt(use, "takes it as a setting");
    }
    if (ELEMENTWISE.contains(operator)) {
      return new Effect.GoesOn(size.axis());
    }
    return switch (operator) {
      case "Shape", "Size" -> ENDS;
      case "MatMul" -> product(use, size, "", "");
      case "Gemm",
          "com.microsoft.FusedGemm",
          "com.microsoft.FusedMatMul",
          "com.microsoft.TransposeMatMul" ->
          product(use, size, "transA", "transB");
      case "Conv" -> convolution(use, size);
      case "Transpose" -> transposed(use, size);
      case "Gather" -> gathered(use, size);
      case "GatherND" -> gatheredAt(use, size);
      case "Slice" -> sliced(use, size);
      case "ArgMax", "ArgMin" -> reduced(use, size, node.intAttribute("axis", 0));
      case "com.microsoft.EmbedLayerNormalization" ->
          use.input() >= 2 && use.input() <= 4 && size.axis() == 2
              ? ENDS
              : doubt(use, "needs the old width");
      default -> doubt(use, "is not known to follow");
    };
  }

  /** A product takes the outer dimension of either matrix over; the inner ones have to agree. */
  private static Effect product(Use use, Size size, String turnsLeft, String turnsRight) {
    GraphNode node = use.node();
    boolean left = use.input() == 0;
    String turning = left ? turnsLeft : turnsRight;
    if (use.input() == 2) {
      return new Effect.GoesOn(size.axis());
    }
    boolean turned = !turning.isEmpty() && node.intAttribute(turning, 0) != 0;
    int outer = left == turned ? 1 : 2;
    boolean batched =
        node.intAttribute("transBatchA", 0) != 0 || node.intAttribute("transBatchB", 0) != 0;
    if (size.axis() != outer || batched) {
      return doubt(use, "sums over it, and its other input keeps the old length");
    }
    return new Effect.GoesOn(left ? 2 : 1);
  }

  private Effect convolution(Use use, Size size) {
    GraphNode node = use.node();
    Optional<Integer> rank = node.input(1).flatMap(node.scope()::resolve).flatMap(ranks::of);
    if (use.input() == 0 || rank.isEmpty() || node.intAttribute("group", 1) != 1) {
      return doubt(use, "keeps the old number of channels");
    }
    boolean isOutput = use.input() == 2 ? size.axis() == 1 : size.axis() == rank.get();
    return isOutput ? new Effect.GoesOn(rank.get() - 1) : doubt(use, "keeps the old kernel");
  }

  private Effect transposed(Use use, Size size) {
    List<Long> perm =
        use.node().attribute("perm").map(AttributeProto::getIntsList).orElse(List.of());
    Optional<Integer> rank = perm.isEmpty() ? rank(use) : Optional.of(perm.size());
    if (rank.isEmpty()) {
      return doubt(use, "turns a value of unknown rank");
    }
    long place = (long) rank.get() - size.axis();
    int now = perm.isEmpty() ? size.axis() - 1 : perm.indexOf(place);
    return now < 0 ? doubt(use, "is damaged") : new Effect.GoesOn(rank.get() - now);
  }

  /** A look-up by rows does not show how many rows there are. */
  private Effect gathered(Use use, Size size) {
    Optional<Integer> rank = rank(use);
    if (use.input() != 0 || rank.isEmpty()) {
      return doubt(use, "picks from a value of unknown rank");
    }
    long axis = use.node().intAttribute("axis", 0);
    long place = axis < 0 ? axis + rank.get() : axis;
    long own = (long) rank.get() - size.axis();
    if (place == own) {
      return isStored(use, 0) && !isStored(use, 1)
          ? ENDS
          : doubt(use, "picks by numbers that mean the old ones");
    }
    if (place < own) {
      return new Effect.GoesOn(size.axis());
    }
    return input(use, 1)
        .flatMap(ranks::of)
        .<Effect>map(q -> new Effect.GoesOn(size.axis() - 1 + q))
        .orElseGet(() -> doubt(use, "picks by numbers of unknown rank"));
  }

  private Effect gatheredAt(Use use, Size size) {
    Optional<Integer> rank = rank(use);
    Optional<Long> depth = input(use, 1).flatMap(this::depth);
    if (use.input() != 0 || rank.isEmpty() || depth.isEmpty()) {
      return doubt(use, "picks from a value of unknown rank");
    }
    long picked = use.node().intAttribute("batch_dims", 0) + depth.get();
    return (long) rank.get() - size.axis() >= picked
        ? new Effect.GoesOn(size.axis())
        : doubt(use, "picks by numbers that mean the old ones");
  }

  /** The last dimension of indices, as declared or as they were put together. */
  private Optional<Long> depth(Value indices) {
    Optional<Long> declared = ranks.length(indices, 1);
    return declared.isPresent()
        ? declared
        : indices
            .scope()
            .producer(indices.name())
            .filter(n -> n.operator().equals("Concat") && n.intAttribute("axis", 0) == -1)
            .flatMap(n -> sumOfLengths(n));
  }

  private Optional<Long> sumOfLengths(GraphNode concat) {
    long sum = 0;
    for (int i = 0; i < concat.inputs().size(); i++) {
      Optional<Value> part = concat.input(i).flatMap(concat.scope()::resolve);
      Optional<Long> length = part.flatMap(v -> ranks.length(v, 1).or(() -> unsqueezed(v)));
      if (length.isEmpty()) {
        return Optional.empty();
      }
      sum += length.get();
    }
    return Optional.of(sum);
  }

  /** An Unsqueeze of the last axis makes a last dimension of one. */
  private static Optional<Long> unsqueezed(Value value) {
    return value
        .scope()
        .producer(value.name())
        .filter(n -> n.operator().equals("Unsqueeze"))
        .flatMap(n -> StoredIntegers.at(n, 1))
        .filter(axes -> axes.equals(List.of(-1L)))
        .map(axes -> 1L);
  }

  private Effect sliced(Use use, Size size) {
    Optional<List<Long>> axes = StoredIntegers.at(use.node(), 3);
    Optional<Integer> rank = rank(use);
    if (use.input() != 0 || axes.isEmpty()) {
      return doubt(use, "cuts along unknown axes");
    }
    for (long axis : axes.get()) {
      if (axis >= 0 && rank.isEmpty()) {
        return doubt(use, "cuts a value of unknown rank");
      }
      long fromEnd = axis < 0 ? -axis : (long) rank.orElse(0) - axis;
      if (fromEnd == size.axis()) {
        return doubt(use, "cuts by the old length");
      }
    }
    return new Effect.GoesOn(size.axis());
  }

  /** The place of the largest value has one element whatever it is chosen from. */
  private Effect reduced(Use use, Size size, long axis) {
    long fromEnd = axis < 0 ? -axis : rank(use).map(r -> r - axis).orElse(0L);
    return fromEnd == size.axis() ? ENDS : doubt(use, "is not known to follow");
  }

  private Optional<Integer> rank(Use use) {
    return input(use, 0).flatMap(ranks::of);
  }

  private static Optional<Value> input(Use use, int input) {
    return use.node().input(input).flatMap(use.node().scope()::resolve);
  }

  private static boolean isStored(Use use, int input) {
    return input(use, input).flatMap(ModelGraph::stored).map(StoredTensor::shape).isPresent();
  }
}
