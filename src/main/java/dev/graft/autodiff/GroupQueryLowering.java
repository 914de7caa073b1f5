package dev.graft.autodiff;

import dev.graft.autodiff.RotaryLowering.Rotation;
import dev.graft.error.UnsupportedException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * The runtime's GroupQueryAttention on whole rows: several query heads share a key and value head,
 * each query sees itself and earlier keys, and positions count from the end of the past. Rows are
 * padded on the right, so that padding lies behind every query that counts.
 */
final class GroupQueryLowering implements Lowering {

  private static final int PAST = 3;
  private static final int COS = 7;
  private static final int POSITIONS = 9;
  private static final int SCORE_BIAS = 10;
  private static final int SINK = 11;

  /** Low enough that no weight is left of a hidden key. */
  private static final float HIDDEN = -1e30f;

  @Override
  public void apply(OpNode node, Emitter emit) {
    requireUsual(node);
    long queries = node.intAttribute("num_heads", 0);
    long keys = node.intAttribute("kv_num_heads", 0);
    List<String> parts = parts(node, queries, keys, emit);
    long size = width(emit.draft().facts(parts.get(0)).dim(2), node) / queries;
    String q = Heads.cut(parts.get(0), queries, emit);
    String k = Heads.cut(parts.get(1), keys, emit);
    String v = Heads.cut(parts.get(2), keys, emit);
    if (node.intAttribute("do_rotary", 0) != 0) {
      Rotation rotation = rotation(node, emit);
      long turned = 2 * width(node.facts(COS).dim(-1), node);
      long[] widths = {turned, size - turned};
      q = rotation.of(q, widths, emit);
      k = rotation.of(k, widths, emit);
    }
    k = behindPast(node, PAST, k, emit);
    v = behindPast(node, PAST + 1, v, emit);
    List<String> masks = new ArrayList<>();
    masks.add(Masks.causal(HIDDEN, node.input(0), k, emit));
    if (node.hasInput(SCORE_BIAS)) {
      masks.add(node.input(SCORE_BIAS));
    }
    Heads heads =
        new Heads(
            queries, keys, AttentionLowering.scale(node, size), node.floatAttribute("softcap", 0));
    String result = heads.attend(List.of(q, k, v), masks, emit);
    emit.alias(Heads.joined(result, emit), node.proto().getOutput(0));
    List<String> present = List.of(k, v);
    for (int i = 0; i < present.size(); i++) {
      if (node.hasOutput(i + 1)) {
        emit.alias(present.get(i), node.proto().getOutput(i + 1));
      }
    }
  }

  private static void requireUsual(OpNode node) {
    if (node.intAttribute("local_window_size", -1) >= 0
        || node.intAttribute("smooth_softmax", 0) > 0
        || node.hasInput(SINK)) {
      throw refused(node, "it has a window or a sink");
    }
    if (node.hasInput(PAST)
        && node.facts(PAST).dim(2).filter(d -> d.is(0)).isEmpty()
        && node.intAttribute("do_rotary", 0) != 0
        && !node.hasInput(POSITIONS)) {
      throw refused(
          node,
          "its past may be longer than 0; make '%s' an input of length 0 on axis 2"
              .formatted(node.input(PAST)));
    }
  }

  /** Queries, keys and values, cut out of one tensor where they are packed. */
  private static List<String> parts(OpNode node, long queries, long keys, Emitter emit) {
    if (node.hasInput(1)) {
      return List.of(node.input(0), node.input(1), node.input(2));
    }
    long size = width(node.facts(0).dim(2), node) / (queries + 2 * keys);
    return emit.split(node.input(0), 2, queries * size, keys * size, keys * size);
  }

  private static Rotation rotation(OpNode node, Emitter emit) {
    return new Rotation(
        angles(node, COS, emit),
        angles(node, COS + 1, emit),
        node.intAttribute("rotary_interleaved", 0) != 0);
  }

  /** Cosines or sines of all positions, broadcast to [batch, heads, sequence, pairs]. */
  private static String angles(OpNode node, int cache, Emitter emit) {
    return node.hasInput(POSITIONS)
        ? emit.unsqueeze(emit.op("Gather", node.input(cache), node.input(POSITIONS)), 1)
        : emit.head(node.input(cache), emit.lengthOf(node.input(0), 1));
  }

  private static String behindPast(OpNode node, int past, String present, Emitter emit) {
    boolean isEmpty = node.facts(past).dim(2).filter(d -> d.is(0)).isPresent();
    return node.hasInput(past) && !isEmpty
        ? emit.concat(2, List.of(node.input(past), present))
        : present;
  }

  private static long width(Optional<Dim> width, OpNode node) {
    return width
        .filter(Dim::isConstant)
        .orElseThrow(() -> refused(node, "the width of an input is not known"))
        .value();
  }

  private static UnsupportedException refused(OpNode node, String reason) {
    return new UnsupportedException(
        "%s cannot be trained through: %s".formatted(Places.describe(node.proto()), reason));
  }
}
