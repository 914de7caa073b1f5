package dev.graft.onnx;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.Descriptors.Descriptor;
import com.google.protobuf.Descriptors.FieldDescriptor;
import dev.graft.onnx.proto.AttributeProto;
import dev.graft.onnx.proto.FunctionProto;
import dev.graft.onnx.proto.GraphProto;
import dev.graft.onnx.proto.ModelProto;
import dev.graft.onnx.proto.NodeProto;
import dev.graft.onnx.proto.SparseTensorProto;
import dev.graft.onnx.proto.TensorProto;
import dev.graft.onnx.proto.TrainingInfoProto;
import java.util.EnumMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Holds the table of fields against the format's own description. */
class MessageKindTest {

  private static final Map<MessageKind, Descriptor> TYPES =
      new EnumMap<>(
          Map.of(
              MessageKind.MODEL, ModelProto.getDescriptor(),
              MessageKind.GRAPH, GraphProto.getDescriptor(),
              MessageKind.FUNCTION, FunctionProto.getDescriptor(),
              MessageKind.NODE, NodeProto.getDescriptor(),
              MessageKind.ATTRIBUTE, AttributeProto.getDescriptor(),
              MessageKind.SPARSE_TENSOR, SparseTensorProto.getDescriptor(),
              MessageKind.TRAINING_INFO, TrainingInfoProto.getDescriptor(),
              MessageKind.TENSOR, TensorProto.getDescriptor()));

  @ParameterizedTest
  @EnumSource
  void knowsEveryFieldBelowWhichATensorCanBe(MessageKind kind) {
    for (FieldDescriptor field : Objects.requireNonNull(TYPES.get(kind)).getFields()) {
      boolean isMessage = field.getJavaType() == FieldDescriptor.JavaType.MESSAGE;
      if (isMessage && reachesTensor(field.getMessageType(), new HashSet<>())) {
        MessageKind child = kind.child(field.getNumber());
        assertThat(child).as(field.getFullName()).isNotNull();
        assertThat(TYPES.get(child)).isEqualTo(field.getMessageType());
        assertThat(kind.isSingle(field.getNumber())).isEqualTo(!field.isRepeated());
      } else {
        assertThat(kind.child(field.getNumber())).as(field.getFullName()).isNull();
      }
      assertThat(
              kind.child(field.getNumber()) == null || field.getNumber() < MessageKind.CHILD_FIELDS)
          .isTrue();
    }
  }

  /** What the scan does not enter may hide any number of small messages, save in plain entries. */
  @ParameterizedTest
  @EnumSource
  void knowsEveryFieldThatCanHideManyMessages(MessageKind kind) {
    for (FieldDescriptor field : Objects.requireNonNull(TYPES.get(kind)).getFields()) {
      boolean isMessage = field.getJavaType() == FieldDescriptor.JavaType.MESSAGE;
      if (isMessage && kind.child(field.getNumber()) == null) {
        boolean hides =
            field.getMessageType().getFields().stream()
                .anyMatch(f -> f.getJavaType() == FieldDescriptor.JavaType.MESSAGE);
        assertThat(kind.isDense(field.getNumber())).as(field.getFullName()).isEqualTo(hides);
      }
    }
  }

  private static boolean reachesTensor(Descriptor type, Set<Descriptor> seen) {
    if (type.equals(TensorProto.getDescriptor())) {
      return true;
    }
    return seen.add(type)
        && type.getFields().stream()
            .filter(f -> f.getJavaType() == FieldDescriptor.JavaType.MESSAGE)
            .anyMatch(f -> reachesTensor(f.getMessageType(), seen));
  }
}
