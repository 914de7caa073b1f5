package dev.graft.autodiff;

import dev.graft.error.UnsupportedException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** The runtime's MultiHeadAttention on queries, keys and values that are apart. */
final class MultiHeadLowering implements Lowering {

  private static final int BIAS = 3;
  private static final int MASK = 4;
  private static final int SCORE_BIAS = 5;
  private static final int PAST = 6;
  private static final float FILTER = -10000;

  @Override
  public void apply(OpNode node, Emitter emit) {
    long heads = node.intAttribute("num_heads", 0);
    for (int i = 0; i < BIAS; i++) {
      if (node.facts(i).rank().orElse(0) != 3) {
        throw refused(node, "its inputs are packed");
      }
    }
    if (node.hasInput(PAST) || node.hasOutput(1)) {
      throw refused(node, "it has a past");
    }
    List<String> qkv = new ArrayList<>();
    List<String> biases = biases(node, emit);
    for (int i = 0; i < BIAS; i++) {
      String x = biases.isEmpty() ? node.input(i) : emit.add(node.input(i), biases.get(i));
      qkv.add(Heads.cut(x, heads, emit));
    }
    List<String> masks = new ArrayList<>();
    if (node.hasInput(MASK)) {
      masks.add(Masks.padding(node, MASK, node.input(1), emit));
    }
    if (node.hasInput(SCORE_BIAS)) {
      masks.add(node.input(SCORE_BIAS));
    }
    if (node.intAttribute("unidirectional", 0) != 0) {
      float filter = node.floatAttribute("mask_filter_value", FILTER);
      masks.add(Masks.causal(filter, node.input(0), qkv.get(1), emit));
    }
    float scale = AttentionLowering.scale(node, width(node, 0) / heads);
    String result = new Heads(heads, heads, scale, 0).attend(qkv, masks, emit);
    emit.alias(Heads.joined(result, emit), node.proto().getOutput(0));
  }

  private static List<String> biases(OpNode node, Emitter emit) {
    return node.hasInput(BIAS)
        ? emit.split(node.input(BIAS), 0, width(node, 0), width(node, 1), width(node, 2))
        : List.of();
  }

  private static long width(OpNode node, int input) {
    Optional<Dim> width = node.facts(input).dim(2).filter(Dim::isConstant);
    return width.orElseThrow(() -> refused(node, "the width of an input is not known")).value();
  }

  private static UnsupportedException refused(OpNode node, String reason) {
    return new UnsupportedException(
        "%s cannot be trained through: %s".formatted(Places.describe(node.proto()), reason));
  }
}
