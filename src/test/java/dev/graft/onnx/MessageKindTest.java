package dev.graft.onnx;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.Descriptors.Descriptor;
import com.google.protobuf.Descriptors.FieldDescriptor;
import dev.graft.onnx.proto.TensorProto;
import java.util.HashSet;
import java.util.Objects;
import java.util.Set;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Holds the table of fields against the format's own description. */
class MessageKindTest {

  @ParameterizedTest
  @EnumSource
  void knowsEveryFieldBelowWhichATensorCanBe(MessageKind kind) {
    for (FieldDescriptor field : kind.type().getFields()) {
      boolean isMessage = field.getJavaType() == FieldDescriptor.JavaType.MESSAGE;
      if (isMessage && reachesTensor(field.getMessageType(), new HashSet<>())) {
        MessageKind child = kind.child(field.getNumber());
        assertThat(child).as(field.getFullName()).isNotNull();
        assertThat(Objects.requireNonNull(child).type()).isEqualTo(field.getMessageType());
        assertThat(kind.isSingle(field.getNumber())).isEqualTo(!field.isRepeated());
      } else {
        assertThat(kind.child(field.getNumber())).as(field.getFullName()).isNull();
      }
      assertThat(
              kind.child(field.getNumber()) == null || field.getNumber() < MessageKind.CHILD_FIELDS)
          .isTrue();
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
