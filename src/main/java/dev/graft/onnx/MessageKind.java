package dev.graft.onnx;

import org.jspecify.annotations.Nullable;

/** The protobuf messages that can hold a tensor, and the fields through which they do. */
enum MessageKind {
  MODEL(0),
  GRAPH(720),
  FUNCTION(720),
  NODE(256),
  ATTRIBUTE(272),
  SPARSE_TENSOR(256),
  TRAINING_INFO(256),
  TENSOR(720);

  /** One more than the highest field number of {@link #child}. */
  static final int CHILD_FIELDS = 26;

  private final int heapBytes;

  MessageKind(int heapBytes) {
    this.heapBytes = heapBytes;
  }

  /**
   * About how much memory an empty message of this kind takes once it is parsed, joined with its
   * place and indexed; measured, and rounded up.
   */
  int heapBytes() {
    return heapBytes;
  }

  /**
   * Whether few bytes of the field can become many objects or numbers: types and annotations, which
   * the scan does not enter, and packed integers.
   */
  boolean isDense(int field) {
    return switch (this) {
      case GRAPH -> field >= 11 && field <= 14;
      case FUNCTION -> field == 12;
      case NODE -> field == 10;
      case ATTRIBUTE -> field == 8 || field == 14 || field == 15;
      case TENSOR -> field == 1;
      case MODEL, SPARSE_TENSOR, TRAINING_INFO -> false;
    };
  }

  /** The kind of the sub-message in this field, or null if no tensor can be below it. */
  @Nullable MessageKind child(int field) {
    return switch (this) {
      case MODEL ->
          switch (field) {
            case 7 -> GRAPH;
            case 20 -> TRAINING_INFO;
            case 25 -> FUNCTION;
            default -> null;
          };
      case GRAPH ->
          switch (field) {
            case 1 -> NODE;
            case 5 -> TENSOR;
            case 15 -> SPARSE_TENSOR;
            default -> null;
          };
      case FUNCTION ->
          switch (field) {
            case 7 -> NODE;
            case 11 -> ATTRIBUTE;
            default -> null;
          };
      case NODE -> field == 5 ? ATTRIBUTE : null;
      case ATTRIBUTE ->
          switch (field) {
            case 5, 10 -> TENSOR;
            case 6, 11 -> GRAPH;
            case 22, 23 -> SPARSE_TENSOR;
            default -> null;
          };
      case SPARSE_TENSOR -> field == 1 || field == 2 ? TENSOR : null;
      case TRAINING_INFO -> field == 1 || field == 2 ? GRAPH : null;
      case TENSOR -> null;
    };
  }

  /** Whether the field may stand once only; protobuf would merge a second one into the first. */
  boolean isSingle(int field) {
    return switch (this) {
      case MODEL -> field == 7;
      case ATTRIBUTE -> field == 5 || field == 6 || field == 22;
      case SPARSE_TENSOR, TRAINING_INFO -> field == 1 || field == 2;
      case GRAPH, FUNCTION, NODE, TENSOR -> false;
    };
  }
}
