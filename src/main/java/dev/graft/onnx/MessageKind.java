package dev.graft.onnx;

import com.google.protobuf.Descriptors.Descriptor;
import dev.graft.onnx.proto.AttributeProto;
import dev.graft.onnx.proto.FunctionProto;
import dev.graft.onnx.proto.GraphProto;
import dev.graft.onnx.proto.ModelProto;
import dev.graft.onnx.proto.NodeProto;
import dev.graft.onnx.proto.SparseTensorProto;
import dev.graft.onnx.proto.TensorProto;
import dev.graft.onnx.proto.TrainingInfoProto;
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

  /** The message's type. */
  Descriptor type() {
    return switch (this) {
      case MODEL -> ModelProto.getDescriptor();
      case GRAPH -> GraphProto.getDescriptor();
      case FUNCTION -> FunctionProto.getDescriptor();
      case NODE -> NodeProto.getDescriptor();
      case ATTRIBUTE -> AttributeProto.getDescriptor();
      case SPARSE_TENSOR -> SparseTensorProto.getDescriptor();
      case TRAINING_INFO -> TrainingInfoProto.getDescriptor();
      case TENSOR -> TensorProto.getDescriptor();
    };
  }

  /** Whether one byte of the field can become a number of eight: packed integers. */
  boolean isPacked(int field) {
    return switch (this) {
      case ATTRIBUTE -> field == AttributeProto.INTS_FIELD_NUMBER;
      case TENSOR -> field == TensorProto.DIMS_FIELD_NUMBER;
      default -> false;
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
