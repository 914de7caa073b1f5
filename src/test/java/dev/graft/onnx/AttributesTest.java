package dev.graft.onnx;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import dev.graft.onnx.proto.AttributeProto;
import dev.graft.onnx.proto.AttributeProto.AttributeType;
import dev.graft.onnx.proto.TensorProto;
import java.util.List;
import org.junit.jupiter.api.Test;

class AttributesTest {

  @Test
  void saysTheTypeBesideTheValue() {
    TensorProto tensor = Protos.embedded("t", 2);
    assertThat(Attributes.of("a", 0.5f)).isEqualTo(of(AttributeType.FLOAT).setF(0.5f).build());
    assertThat(Attributes.of("a", -3)).isEqualTo(of(AttributeType.INT).setI(-3).build());
    assertThat(Attributes.of("a", "é"))
        .isEqualTo(of(AttributeType.STRING).setS(ByteString.copyFromUtf8("é")).build());
    assertThat(Attributes.of("a", tensor)).isEqualTo(of(AttributeType.TENSOR).setT(tensor).build());
    assertThat(Attributes.ofInts("a", List.of(1L, 2L)))
        .isEqualTo(of(AttributeType.INTS).addInts(1).addInts(2).build());
    assertThat(Attributes.ofFloats("a", List.of(1f, 2f)))
        .isEqualTo(of(AttributeType.FLOATS).addFloats(1).addFloats(2).build());
  }

  private static AttributeProto.Builder of(AttributeType type) {
    return AttributeProto.newBuilder().setName("a").setType(type);
  }
}
