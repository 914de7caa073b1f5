package dev.graft.onnx;

import java.util.Map;

/** The protobuf messages that can hold a tensor, and the fields through which they do. */
enum MessageKind {
  MODEL,
  GRAPH,
  FUNCTION,
  NODE,
  ATTRIBUTE,
  SPARSE_TENSOR,
  TRAINING_INFO,
  TENSOR;

  private static final Map<MessageKind, Map<Integer, MessageKind>> CHILDREN =
      Map.of(
          MODEL, Map.of(7, GRAPH, 20, TRAINING_INFO, 25, FUNCTION),
          GRAPH, Map.of(1, NODE, 5, TENSOR, 15, SPARSE_TENSOR),
          FUNCTION, Map.of(7, NODE, 11, ATTRIBUTE),
          NODE, Map.of(5, ATTRIBUTE),
          ATTRIBUTE,
              Map.of(
                  5, TENSOR, 6, GRAPH, 10, TENSOR, 11, GRAPH, 22, SPARSE_TENSOR, 23, SPARSE_TENSOR),
          SPARSE_TENSOR, Map.of(1, TENSOR, 2, TENSOR),
          TRAINING_INFO, Map.of(1, GRAPH, 2, GRAPH),
          TENSOR, Map.of());

  /** The fields that may stand once only; protobuf would merge a second one into the first. */
  private static final Map<MessageKind, Integer> SINGLE_FIELDS =
      Map.of(
          MODEL, bit(7),
          ATTRIBUTE, bit(5) | bit(6) | bit(22),
          SPARSE_TENSOR, bit(1) | bit(2),
          TRAINING_INFO, bit(1) | bit(2));

  /** The kind of the sub-message in this field, or null if no tensor can be below it. */
  @org.jspecify.annotations.Nullable
  MessageKind child(int field) {
    return CHILDREN.getOrDefault(this, Map.of()).get(field);
  }

  boolean isSingle(int field) {
    return field < 31 && (SINGLE_FIELDS.getOrDefault(this, 0) & bit(field)) != 0;
  }

  private static int bit(int field) {
    return 1 << field;
  }
}
