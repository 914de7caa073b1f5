package dev.graft.onnx;

import com.google.protobuf.ByteString;
import dev.graft.onnx.proto.AttributeProto;
import dev.graft.onnx.proto.AttributeProto.AttributeType;
import dev.graft.onnx.proto.TensorProto;
import java.util.List;

/** Makes attributes of nodes, each with the type that ONNX wants said beside the value. */
public final class Attributes {

  private Attributes() {}

  /** A floating-point number. */
  public static AttributeProto of(String name, float value) {
    return attribute(name, AttributeType.FLOAT).setF(value).build();
  }

  /** An integer. */
  public static AttributeProto of(String name, long value) {
    return attribute(name, AttributeType.INT).setI(value).build();
  }

  /** Several integers. */
  public static AttributeProto ofInts(String name, List<Long> values) {
    return attribute(name, AttributeType.INTS).addAllInts(values).build();
  }

  /** Several floating-point numbers. */
  public static AttributeProto ofFloats(String name, List<Float> values) {
    return attribute(name, AttributeType.FLOATS).addAllFloats(values).build();
  }

  /** Text. */
  public static AttributeProto of(String name, String value) {
    return attribute(name, AttributeType.STRING).setS(ByteString.copyFromUtf8(value)).build();
  }

  /** A tensor with its values; large ones are better kept as initializers. */
  public static AttributeProto of(String name, TensorProto value) {
    return attribute(name, AttributeType.TENSOR).setT(value).build();
  }

  private static AttributeProto.Builder attribute(String name, AttributeType type) {
    return AttributeProto.newBuilder().setName(name).setType(type);
  }
}
