package dev.graft.autodiff;

import dev.graft.onnx.Attributes;
import dev.graft.tensor.DType;
import java.util.List;

/**
 * Scaled dot-product attention over heads, in matrix products: softmax(scale · Q·Kᵀ + mask) · V.
 *
 * <p>Where several query heads share one of K and V, these are not repeated: the queries of a group
 * stand below each other in one product, so that the gradients of K and V come out summed.
 *
 * @param queries the number of query heads
 * @param keys the number of key and value heads
 * @param scale of the scores
 * @param softcap where not 0, scores are softcap · tanh(scores / softcap)
 */
record Heads(long queries, long keys, float scale, float softcap) {

  /** Cuts the last axis of [batch, sequence, width] into heads: [batch, heads, sequence, size]. */
  static String cut(String x, long heads, Emitter emit) {
    return emit.transpose(emit.reshape(x, 0, 0, heads, -1), List.of(0, 2, 1, 3));
  }

  /** Puts heads back beside each other. */
  static String joined(String heads, Emitter emit) {
    return emit.reshape(emit.transpose(heads, List.of(0, 2, 1, 3)), 0, 0, -1);
  }

  /**
   * Emits the attention.
   *
   * @param qkv queries, keys and values as heads
   * @param masks what is added to the scores
   * @return heads, as many as there are query heads
   */
  String attend(List<String> qkv, List<String> masks, Emitter emit) {
    String q = grouped(qkv.get(0), emit);
    String scores =
        emit.op(
            "com.microsoft.FusedMatMul",
            List.of(q, qkv.get(1)),
            Attributes.of("transB", 1L),
            Attributes.of("alpha", scale));
    scores = capped(parted(scores, emit), emit);
    for (String mask : masks) {
      scores = emit.add(scores, mask);
    }
    String weights =
        emit.op(
            "Softmax",
            List.of(scores),
            Attributes.of("axis", emit.draft().opset() < 13 ? 3L : -1L));
    return parted(emit.op("MatMul", grouped(weights, emit), qkv.get(2)), emit);
  }

  private String capped(String scores, Emitter emit) {
    if (softcap == 0) {
      return scores;
    }
    DType type = emit.typeOf(scores);
    String squashed = emit.op("Tanh", emit.mul(scores, emit.scalar(type, 1 / softcap)));
    return emit.mul(squashed, emit.scalar(type, softcap));
  }

  /** [batch, queries, sequence, n] as [batch, keys, queries / keys · sequence, n]. */
  private String grouped(String x, Emitter emit) {
    return queries == keys ? x : emit.reshape(x, 0, keys, -1, 0);
  }

  /** [batch, keys, queries / keys · sequence, n] as [batch, queries, sequence, n]. */
  private String parted(String x, Emitter emit) {
    return queries == keys ? x : emit.reshape(x, 0, queries, -1, 0);
  }
}
