package dev.graft.autodiff;

import dev.graft.error.UnsupportedException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * The runtime's Attention: one product makes queries, keys and values, whose columns stand in three
 * blocks; then scaled dot-product attention.
 */
final class AttentionLowering implements Lowering {

  private static final int MASK = 3;
  private static final int PAST = 4;
  private static final int BIAS = 5;
  private static final float FILTER = -10000;

  @Override
  public void apply(OpNode node, Emitter emit) {
    long heads = node.intAttribute("num_heads", 0);
    boolean isOdd =
        node.hasInput(PAST)
            || node.hasOutput(1)
            || node.intAttribute("do_rotary", 0) != 0
            || heads == 0;
    if (isOdd) {
      throw new UnsupportedException(
          "%s cannot be trained through: it has a past or turns positions"
              .formatted(Places.describe(node.proto())));
    }
    String packed = emit.op("MatMul", node.input(0), node.input(1));
    if (node.hasInput(2)) {
      packed = emit.add(packed, node.input(2));
    }
    long[] widths = widths(node);
    List<String> qkv =
        emit.split(packed, 2, widths).stream().map(x -> Heads.cut(x, heads, emit)).toList();
    List<String> masks = new ArrayList<>();
    if (node.hasInput(MASK)) {
      masks.add(Masks.padding(node, MASK, node.input(0), emit));
    }
    if (node.hasInput(BIAS)) {
      masks.add(node.input(BIAS));
    }
    if (node.intAttribute("unidirectional", 0) != 0) {
      float filter = node.floatAttribute("mask_filter_value", FILTER);
      masks.add(Masks.causal(filter, node.input(0), qkv.get(1), emit));
    }
    float scale = scale(node, widths[0] / heads);
    String result = new Heads(heads, heads, scale, 0).attend(qkv, masks, emit);
    emit.alias(Heads.joined(result, emit), node.proto().getOutput(0));
  }

  private static long[] widths(OpNode node) {
    Optional<List<Long>> given = node.intsAttribute("qkv_hidden_sizes");
    if (given.isPresent()) {
      return given.get().stream().mapToLong(Long::longValue).toArray();
    }
    long width =
        node.facts(1)
            .dim(1)
            .filter(Dim::isConstant)
            .map(w -> w.value() / 3)
            .orElseThrow(() ->
                new UnsupportedException(
                    "%s cannot be trained through: the shape of its weight is not known"
                        .formatted(Places.describe(node.proto()))));
    return new long[] {width, width, width};
  }

  /** The scale that a node gives, or one over the root of the size of a head. */
  static float scale(OpNode node, long size) {
    float given = node.floatAttribute("scale", 0);
    return given != 0 ? given : (float) (1 / Math.sqrt((double) size));
  }
}
