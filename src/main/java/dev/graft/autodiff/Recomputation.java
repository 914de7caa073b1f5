package dev.graft.autodiff;

import dev.graft.onnx.proto.AttributeProto;
import dev.graft.onnx.proto.NodeProto;
import dev.graft.tensor.DType;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.function.Predicate;

/**
 * Gradient checkpointing: what the gradient of a {@linkplain Blocks block} reads of the forward
 * pass is computed again right before, from what the block was given, so that only what blocks hand
 * on lives from the forward pass to the gradient.
 *
 * <p>A copy of a node reads x + 0 in place of a value x from outside its block, where the 0 is made
 * of a gradient that has come by then. Without that, ONNX Runtime would find that the copy computes
 * what the original has computed, and keep the original's result instead.
 *
 * <p>Nodes that draw random numbers are never repeated: their outputs are kept.
 */
final class Recomputation {

  private static final Set<String> RANDOM =
      Set.of(
          "Dropout",
          "Bernoulli",
          "Multinomial",
          "RandomNormal",
          "RandomNormalLike",
          "RandomUniform",
          "RandomUniformLike");

  private final Draft draft;
  private final Emitter emitter;
  private final List<NodeProto> forward;
  private final Blocks blocks;
  private final Map<String, Integer> producers = new HashMap<>();
  private final Set<String> handedOn = new HashSet<>();
  private final Set<String> fixed = new HashSet<>();
  private final Map<String, String> copies = new HashMap<>();
  private final Map<String, String> delayed = new HashMap<>();
  private final Map<String, String> zeros = new HashMap<>();
  private Optional<String> latest = Optional.empty();

  private Recomputation(Emitter emitter, List<NodeProto> forward, Predicate<String> isOnPath) {
    this.draft = emitter.draft();
    this.emitter = emitter;
    this.forward = forward;
    this.blocks = Blocks.of(forward, isOnPath);
    for (int i = 0; i < forward.size(); i++) {
      for (String output : forward.get(i).getOutputList()) {
        producers.put(output, i);
      }
      for (String input : Order.reads(forward.get(i))) {
        if (blockOf(input) != blocks.ofNodes().get(i)) {
          handedOn.add(input);
        }
      }
      if (Order.reads(forward.get(i)).stream().allMatch(this::isFixed)) {
        fixed.addAll(forward.get(i).getOutputList());
      }
    }
  }

  /**
   * Rewrites a draft.
   *
   * @param forward how many of the draft's nodes are the forward pass; the others, its gradient,
   *     follow them
   * @param isOnPath whether a value lies between a trainable tensor and the loss
   */
  static void apply(Emitter emitter, int forward, Predicate<String> isOnPath) {
    List<NodeProto> nodes = List.copyOf(emitter.draft().nodes());
    List<NodeProto> kept = nodes.subList(0, forward);
    emitter.draft().replaceNodes(kept);
    new Recomputation(emitter, kept, isOnPath).rewrite(nodes.subList(forward, nodes.size()));
  }

  private void rewrite(List<NodeProto> gradient) {
    for (NodeProto node : gradient) {
      boolean isShape = OpNode.operator(node).equals("Shape");
      NodeProto.Builder changed = node.toBuilder();
      for (int i = 0; i < node.getInputCount() && !isShape; i++) {
        changed.setInput(i, again(node.getInput(i)));
      }
      draft.append(changed.build());
      node.getOutputList().stream()
          .filter(output -> draft.facts(output).isFloat())
          .findFirst()
          .ifPresent(output -> latest = Optional.of(output));
    }
  }

  /** The copy of a value, where it has one; itself where it is kept. */
  private String again(String value) {
    String known = copies.get(value);
    if (known != null || !isRepeated(value)) {
      return known == null ? value : known;
    }
    NodeProto node = forward.get(Objects.requireNonNull(producers.get(value)));
    NodeProto.Builder copy = node.toBuilder().clearInput().clearOutput();
    copy.setName(draft.names().fresh(node.getName() + "/recomputed"));
    node.getInputList().forEach(input -> copy.addInput(read(input, blockOf(value))));
    for (String output : node.getOutputList()) {
      String name = output.isEmpty() ? "" : draft.names().fresh(output + "/recomputed");
      copy.addOutput(name);
      copies.put(output, name);
    }
    emitter.add(copy.build());
    return Objects.requireNonNull(copies.get(value));
  }

  /** What the copy of a node reads in place of a value. */
  private String read(String value, int block) {
    if (isRepeated(value) && blockOf(value) == block) {
      return again(value);
    }
    Facts facts = draft.facts(value);
    boolean isTensor = facts.isFloat() && facts.rank().orElse(0) > 0;
    if (!isTensor || isFixed(value) || latest.isEmpty()) {
      return value;
    }
    String zero = zero(emitter.typeOf(value), latest.get(), block);
    return delayed.computeIfAbsent(block + " " + value, key -> emitter.add(value, zero));
  }

  /** No number is less than minus infinity, but only who computes it knows. */
  private String zero(DType type, String gradient, int block) {
    return zeros.computeIfAbsent(
        block + " " + type,
        key -> {
          emitter.begin("recomputed/" + block);
          String first = emitter.head(emitter.reshape(gradient, -1), emitter.vector(1));
          String least = emitter.scalar(emitter.typeOf(gradient), Double.NEGATIVE_INFINITY);
          return emitter.cast(emitter.op("Less", first, least), type);
        });
  }

  private boolean isRepeated(String value) {
    Integer place = producers.get(value);
    if (place == null || blocks.ofNodes().get(place) == Blocks.NONE || handedOn.contains(value)) {
      return false;
    }
    NodeProto node = forward.get(place);
    boolean isWeight = OpNode.operator(node).equals("Cast") && isGiven(node.getInput(0));
    boolean isWhole = node.getAttributeList().stream().noneMatch(AttributeProto::hasG);
    return isWhole
        && !RANDOM.contains(OpNode.operator(node))
        && !isCount(draft.facts(value))
        && (isWeight || !isFixed(value));
  }

  /** Shapes and the like are small, and known long before. */
  private static boolean isCount(Facts facts) {
    return facts.type().isPresent() && !facts.isFloat() && facts.rank().orElse(2) < 2;
  }

  /** Whether a value is the same in every step: no input is behind it. */
  private boolean isFixed(String value) {
    return value.isEmpty() || isGiven(value) || fixed.contains(value);
  }

  private boolean isGiven(String value) {
    return draft.initializer(value).isPresent();
  }

  private int blockOf(String value) {
    Integer place = producers.get(value);
    return place == null ? Blocks.NONE : blocks.ofNodes().get(place);
  }
}
