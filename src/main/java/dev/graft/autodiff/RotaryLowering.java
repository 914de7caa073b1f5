package dev.graft.autodiff;

import dev.graft.error.UnsupportedException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * RotaryEmbedding of both domains: each pair (a, b) of a head's leading elements becomes (a·cos −
 * b·sin, b·cos + a·sin) by the angle of its position. Pairs are the two halves, or neighbours in
 * the interleaved form.
 */
final class RotaryLowering implements Lowering {

  private final int positions;
  private final int cos;

  /**
   * Makes the lowering of one domain's form.
   *
   * @param positions which input holds the positions
   * @param cos which input holds the cosines; the sines follow
   */
  RotaryLowering(int positions, int cos) {
    this.positions = positions;
    this.cos = cos;
  }

  @Override
  public void apply(OpNode node, Emitter emit) {
    int rank = node.facts(0).rank().orElse(0);
    long heads = node.intAttribute("num_heads", 0);
    if (rank != 4 && (rank != 3 || heads == 0)) {
      throw refused(node, "the number of its heads is not known");
    }
    if (node.floatAttribute("scale", 1) != 1 || node.intAttribute("is_packed_batching", 0) != 0) {
      throw refused(node, "it scales or packs batches");
    }
    String x = rank == 4 ? node.input(0) : emit.reshape(node.input(0), 0, 0, heads, -1);
    int headAxis = rank == 4 ? 1 : 2;
    Rotation rotation =
        new Rotation(
            emit.unsqueeze(angles(node, cos, emit), headAxis),
            emit.unsqueeze(angles(node, cos + 1, emit), headAxis),
            node.intAttribute("interleaved", 0) != 0);
    String turned = rotation.of(x, width(node, x, emit), emit);
    String result = rank == 4 ? turned : emit.reshape(turned, 0, 0, -1);
    emit.alias(result, node.proto().getOutput(0));
  }

  /** The cosines or sines of each position, [batch, sequence, pairs]. */
  private String angles(OpNode node, int cache, Emitter emit) {
    if (!node.hasInput(positions)) {
      return node.input(cache);
    }
    boolean isOffset = node.facts(positions).rank().orElse(2) != 2;
    if (isOffset) {
      throw refused(node, "its positions are an offset");
    }
    return emit.op("Gather", node.input(cache), node.input(positions));
  }

  /** Lengths of the part of a head that is turned and of the rest. */
  private long[] width(OpNode node, String x, Emitter emit) {
    Optional<Dim> whole = emit.draft().facts(x).dim(-1).filter(Dim::isConstant);
    Optional<Dim> pairs = node.facts(cos).dim(-1).filter(Dim::isConstant);
    long given = node.intAttribute("rotary_embedding_dim", 0);
    if (whole.isEmpty() || (given == 0 && pairs.isEmpty())) {
      throw refused(node, "the length of its heads is not known");
    }
    long turned = given > 0 ? given : 2 * pairs.get().value();
    return new long[] {turned, whole.get().value() - turned};
  }

  private static UnsupportedException refused(OpNode node, String reason) {
    return new UnsupportedException(
        "%s cannot be differentiated: %s".formatted(Places.describe(node.proto()), reason));
  }

  /**
   * Turns heads.
   *
   * @param cos broadcast to the pairs of a head
   * @param sin likewise
   * @param isInterleaved whether pairs are neighbours
   */
  record Rotation(String cos, String sin, boolean isInterleaved) {

    /** Turns the first elements of each head. */
    String of(String x, long[] widths, Emitter emit) {
      if (widths[1] == 0) {
        return turned(x, widths[0] / 2, emit);
      }
      List<String> parts = emit.split(x, 3, widths);
      List<String> joined = new ArrayList<>();
      joined.add(turned(parts.getFirst(), widths[0] / 2, emit));
      joined.add(parts.getLast());
      return emit.concat(3, joined);
    }

    private String turned(String x, long pairs, Emitter emit) {
      if (isInterleaved) {
        List<String> both = emit.split(emit.reshape(x, 0, 0, -1, pairs, 2), 4, 1, 1);
        String a = emit.squeeze(both.getFirst(), 4);
        String b = emit.squeeze(both.getLast(), 4);
        String whole =
            emit.concat(
                4,
                List.of(
                    emit.unsqueeze(first(a, b, emit), 4), emit.unsqueeze(second(a, b, emit), 4)));
        return emit.reshape(whole, 0, 0, -1, 2 * pairs);
      }
      List<String> halves = emit.split(x, 3, pairs, pairs);
      String a = halves.getFirst();
      String b = halves.getLast();
      return emit.concat(3, List.of(first(a, b, emit), second(a, b, emit)));
    }

    private String first(String a, String b, Emitter emit) {
      return emit.sub(emit.mul(a, cos), emit.mul(b, sin));
    }

    private String second(String a, String b, Emitter emit) {
      return emit.add(emit.mul(b, cos), emit.mul(a, sin));
    }
  }
}
