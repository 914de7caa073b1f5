package dev.graft.onnx;

import com.google.protobuf.ByteString;
import com.google.protobuf.Descriptors.FieldDescriptor;
import com.google.protobuf.Message;
import com.google.protobuf.UnknownFieldSet;
import dev.graft.onnx.proto.AttributeProto;
import dev.graft.onnx.proto.GraphProto;
import dev.graft.onnx.proto.ModelProto;
import dev.graft.onnx.proto.NodeProto;
import dev.graft.onnx.proto.StringStringEntryProto;
import dev.graft.onnx.proto.TensorProto;
import dev.graft.tensor.DType;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;

/** Parts of models for tests, and what a scan has to make of a message. */
final class Protos {

  private static final List<Integer> PAYLOAD = List.of(4, 5, 6, 7, 9, 10, 11);

  private Protos() {}

  static byte[] noise(int length, long seed) {
    byte[] bytes = new byte[length];
    new Random(seed).nextBytes(bytes);
    return bytes;
  }

  static ModelProto model(GraphProto.Builder graph) {
    return ModelProto.newBuilder().setIrVersion(8).setGraph(graph).build();
  }

  /** A float32 vector in {@code raw_data}. */
  static TensorProto embedded(String name, int elements) {
    return TensorProto.newBuilder()
        .addDims(elements)
        .setDataType(DType.FLOAT32.onnxCode())
        .setName(name)
        .setRawData(ByteString.copyFrom(noise(4 * elements, name.hashCode())))
        .build();
  }

  /** A float32 vector in a data file. */
  static TensorProto external(String name, int elements, String location, long offset) {
    return TensorProto.newBuilder()
        .addDims(elements)
        .setDataType(DType.FLOAT32.onnxCode())
        .setName(name)
        .addExternalData(entry("location", location))
        .addExternalData(entry("offset", Long.toString(offset)))
        .addExternalData(entry("length", Long.toString(4L * elements)))
        .setDataLocation(TensorProto.DataLocation.EXTERNAL)
        .build();
  }

  static StringStringEntryProto entry(String key, String value) {
    return StringStringEntryProto.newBuilder().setKey(key).setValue(value).build();
  }

  static NodeProto node(String op, String output, String... inputs) {
    return NodeProto.newBuilder()
        .setOpType(op)
        .setName("node_" + output)
        .addAllInput(List.of(inputs))
        .addOutput(output)
        .build();
  }

  static NodeProto constant(String output, TensorProto value) {
    return node("Constant", output).toBuilder()
        .addAttribute(AttributeProto.newBuilder().setName("value").setT(value))
        .build();
  }

  /** All messages of a type inside a message, the outer before the inner. */
  static <T extends Message> List<T> all(Message in, Class<T> type) {
    List<T> found = new ArrayList<>();
    if (type.isInstance(in)) {
      found.add(type.cast(in));
    }
    for (Object value : in.getAllFields().values()) {
      List<?> values = value instanceof List<?> list ? list : List.of(value);
      for (Object one : values) {
        if (one instanceof Message message) {
          found.addAll(all(message, type));
        }
      }
    }
    return found;
  }

  /** The message as the skeleton should have it: without large payloads and unknown fields. */
  @SuppressWarnings("unchecked")
  static <T extends Message> T withoutPayloads(T message) {
    Message.Builder builder =
        message.toBuilder().setUnknownFields(UnknownFieldSet.getDefaultInstance());
    if (message instanceof TensorProto tensor && payloadBytes(tensor) >= 1024) {
      PAYLOAD.forEach(
          field -> builder.clearField(tensor.getDescriptorForType().findFieldByNumber(field)));
      return (T) builder.build();
    }
    for (Map.Entry<FieldDescriptor, Object> field : message.getAllFields().entrySet()) {
      if (field.getKey().getJavaType() != FieldDescriptor.JavaType.MESSAGE) {
        continue;
      }
      if (field.getValue() instanceof List<?> list) {
        for (int i = 0; i < list.size(); i++) {
          builder.setRepeatedField(field.getKey(), i, withoutPayloads((Message) list.get(i)));
        }
      } else {
        builder.setField(field.getKey(), withoutPayloads((Message) field.getValue()));
      }
    }
    return (T) builder.build();
  }

  /** The message without any values of tensors, and without the places of external ones. */
  static Message withoutData(ModelProto model) {
    ModelProto.Builder builder = model.toBuilder();
    clearData(builder);
    return builder.build();
  }

  private static void clearData(Message.Builder builder) {
    if (builder instanceof TensorProto.Builder tensor) {
      tensor.clearFloatData().clearInt32Data().clearInt64Data().clearDoubleData();
      tensor.clearUint64Data().clearStringData();
      tensor.clearRawData().clearExternalData().clearDataLocation();
      return;
    }
    builder
        .getAllFields()
        .forEach((field, value) -> {
          if (value instanceof List<?> list
              && !list.isEmpty()
              && list.getFirst() instanceof Message) {
            for (int i = 0; i < list.size(); i++) {
              clearData(builder.getRepeatedFieldBuilder(field, i));
            }
          } else if (value instanceof Message) {
            clearData(builder.getFieldBuilder(field));
          }
        });
  }

  /** The bytes with a few of them changed, moved or cut off. */
  static byte[] damaged(byte[] bytes, Random random) {
    byte[] damaged = bytes.clone();
    for (int i = random.nextInt(3); i >= 0; i--) {
      int at = random.nextInt(damaged.length);
      switch (random.nextInt(4)) {
        case 0 -> damaged[at] ^= (byte) (1 << random.nextInt(8));
        case 1 -> damaged[at] = (byte) random.nextInt();
        case 2 -> damaged = Arrays.copyOf(damaged, at + 1);
        default -> {
          int length = Math.min(random.nextInt(40), damaged.length - at);
          System.arraycopy(damaged, random.nextInt(at + 1), damaged, at, length);
        }
      }
    }
    return damaged;
  }

  /** Bytes of the values as protobuf itself writes them, packed. */
  private static long payloadBytes(TensorProto tensor) {
    long varints = 0;
    for (int value : tensor.getInt32DataList()) {
      varints += Wire.number(value).length;
    }
    for (long value : tensor.getInt64DataList()) {
      varints += Wire.number(value).length;
    }
    for (long value : tensor.getUint64DataList()) {
      varints += Wire.number(value).length;
    }
    return varints
        + 4L * tensor.getFloatDataCount()
        + 8L * tensor.getDoubleDataCount()
        + tensor.getRawData().size()
        + tensor.getStringDataList().stream().mapToLong(ByteString::size).sum();
  }
}
