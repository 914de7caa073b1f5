package dev.graft.autodiff;

import dev.graft.error.UnsupportedException;
import dev.graft.onnx.Attributes;
import dev.graft.tensor.DType;
import java.util.List;

/** What attention operators add to their scores so that some keys count for nothing. */
final class Masks {

  private static final float FILTER = -10000;

  private Masks() {}

  /**
   * The mask of keys that are padding, broadcast to the scores.
   *
   * @param node the attention, whose input at the index is 1 for a key that counts: [batch, keys],
   *     [batch, queries, keys], or the number of keys that count of each row, [batch]
   * @param total a value of [batch, keys, …], for the number of keys
   */
  static String padding(OpNode node, int index, String total, Emitter emit) {
    DType type = emit.typeOf(node.input(0));
    String counts =
        switch (node.facts(index).rank().orElse(0)) {
          case 1 -> emit.unsqueeze(within(node, index, total, emit), 1, 2);
          case 2 -> emit.unsqueeze(node.input(index), 1, 2);
          case 3 -> emit.unsqueeze(node.input(index), 1);
          default ->
              throw new UnsupportedException(
                  "%s cannot be trained through: its mask '%s' has a form that is not known"
                      .formatted(Places.describe(node.proto()), node.input(index)));
        };
    String missing = emit.sub(emit.scalar(type, 1), emit.cast(counts, type));
    float filter = node.floatAttribute("mask_filter_value", FILTER);
    return emit.mul(missing, emit.scalar(type, filter));
  }

  private static String within(OpNode node, int index, String total, Emitter emit) {
    if (!node.facts(index).dim(0).equals(node.facts(0).dim(0))) {
      throw new UnsupportedException(
          "%s cannot be trained through: its mask '%s' gives first and last keys"
              .formatted(Places.describe(node.proto()), node.input(index)));
    }
    String places = emit.count(emit.lengthOf(total, 1));
    String ends = emit.unsqueeze(emit.cast(node.input(index), DType.INT64), 1);
    return emit.op("Less", places, ends);
  }

  /**
   * The mask that hides later keys from each query, [queries, keys].
   *
   * @param filter what hidden scores get added
   * @param queries a value of [batch, queries, …]
   * @param keys a value of [batch, heads, keys, …]
   */
  static String causal(float filter, String queries, String keys, Emitter emit) {
    DType type = emit.typeOf(queries);
    String queryCount = emit.lengthOf(queries, 1);
    String keyCount = emit.lengthOf(keys, 2);
    String past = emit.sub(keyCount, queryCount);
    String rows = emit.unsqueeze(emit.add(emit.count(queryCount), past), 1);
    String columns = emit.unsqueeze(emit.count(keyCount), 0);
    String hidden =
        emit.op(
            "Cast",
            List.of(emit.op("Greater", columns, rows)),
            Attributes.of("to", (long) type.onnxCode()));
    return emit.mul(hidden, emit.scalar(type, filter));
  }
}
