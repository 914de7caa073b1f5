package dev.graft.autodiff;

import com.google.protobuf.ByteString;
import dev.graft.onnx.proto.TensorProto;
import dev.graft.onnx.proto.TensorProto.DataLocation;
import dev.graft.onnx.proto.TensorShapeProto.Dimension;
import dev.graft.onnx.proto.TypeProto;
import dev.graft.onnx.proto.ValueInfoProto;
import dev.graft.tensor.DType;
import dev.graft.tensor.FloatCodec;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.LongStream;

/** Reads and makes the small tensors of a graph: scalars, shapes, lists of axes. */
final class Tensors {

  /** Longer lists of integers are no shapes. */
  private static final int MAX_CONTENT = 64;

  private Tensors() {}

  /** A tensor of one float without axes. */
  static TensorProto scalar(String name, DType type, double value) {
    byte[] bytes = new byte[Math.toIntExact(type.bytes(1))];
    if (type == DType.FLOAT64) {
      ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).putDouble(value);
    } else {
      new FloatCodec(type, 1)
          .encode(new float[] {(float) value}, 1, MemorySegment.ofArray(bytes), 0);
    }
    return TensorProto.newBuilder()
        .setName(name)
        .setDataType(type.onnxCode())
        .setRawData(ByteString.copyFrom(bytes))
        .build();
  }

  /** A vector of integers. */
  static TensorProto vector(String name, long... values) {
    ByteBuffer bytes = ByteBuffer.allocate(8 * values.length).order(ByteOrder.LITTLE_ENDIAN);
    LongStream.of(values).forEach(bytes::putLong);
    return TensorProto.newBuilder()
        .setName(name)
        .setDataType(DType.INT64.onnxCode())
        .addDims(values.length)
        .setRawData(ByteString.copyFrom(bytes.array()))
        .build();
  }

  /** An integer without axes. */
  static TensorProto integer(String name, long value) {
    return vector(name, value).toBuilder().clearDims().build();
  }

  /** What a stored tensor tells. */
  static Facts facts(TensorProto tensor) {
    List<Dim> dims = tensor.getDimsList().stream().map(Dim::of).toList();
    Facts facts = Facts.of(DType.ofOnnx(tensor.getDataType()), dims);
    return integers(tensor)
        .map(values -> facts.holding(LongStream.of(values).mapToObj(Dim::of).toList()))
        .orElse(facts);
  }

  /** What the declaration of a value tells; its unnamed lengths are taken as unknown. */
  static Facts facts(ValueInfoProto value) {
    TypeProto.Tensor tensor = value.getType().getTensorType();
    Optional<DType> type = DType.ofOnnx(tensor.getElemType());
    if (!tensor.hasShape()) {
      return Facts.unshaped(type);
    }
    List<Dim> dims = new ArrayList<>();
    for (Dimension dim : tensor.getShape().getDimList()) {
      if (dim.hasDimValue()) {
        dims.add(Dim.of(dim.getDimValue()));
      } else {
        boolean isNamed = dim.hasDimParam() && !dim.getDimParam().isEmpty();
        dims.add(
            Dim.named(
                isNamed ? dim.getDimParam() : "?%s.%d".formatted(value.getName(), dims.size())));
      }
    }
    return Facts.of(type, dims);
  }

  /** The value of a float tensor of one element that is stored in the graph itself. */
  static Optional<Double> number(TensorProto tensor) {
    long elements = tensor.getDimsList().stream().reduce(1L, (a, b) -> a * b);
    Optional<DType> type = DType.ofOnnx(tensor.getDataType());
    if (elements != 1 || type.isEmpty() || tensor.getDataLocation() == DataLocation.EXTERNAL) {
      return Optional.empty();
    }
    if (type.get() == DType.FLOAT64) {
      return tensor.hasRawData()
          ? Optional.of(buffer(tensor).getDouble())
          : tensor.getDoubleDataList().stream().findFirst();
    }
    if (!type.get().isFoldable()) {
      return integers(tensor).map(values -> (double) values[0]);
    }
    return tensor.hasRawData() ? Optional.of(decoded(tensor, type.get())) : typed(tensor);
  }

  private static Optional<Double> typed(TensorProto tensor) {
    // Halves in typed fields are bit patterns in int32_data; nobody writes a scalar like that.
    return tensor.getFloatDataList().stream().findFirst().map(Float::doubleValue);
  }

  private static double decoded(TensorProto tensor, DType type) {
    float[] value = new float[1];
    byte[] bytes = tensor.getRawData().toByteArray();
    new FloatCodec(type, 1).decode(MemorySegment.ofArray(bytes), 0, value, 1);
    return value[0];
  }

  /** The values of a short tensor of integers or truth values. */
  static Optional<long[]> integers(TensorProto tensor) {
    long elements = tensor.getDimsList().stream().reduce(1L, (a, b) -> a * b);
    Optional<DType> type = DType.ofOnnx(tensor.getDataType());
    if (type.isEmpty()
        || elements > MAX_CONTENT
        || tensor.getDimsCount() > 1
        || tensor.getDataLocation() == DataLocation.EXTERNAL) {
      return Optional.empty();
    }
    int width =
        switch (type.get()) {
          case INT64 -> 8;
          case INT32 -> 4;
          case BOOL -> 1;
          default -> 0;
        };
    if (width == 0) {
      return Optional.empty();
    }
    long[] values = tensor.hasRawData() ? raw(tensor, width) : typedIntegers(tensor);
    return values.length == elements ? Optional.of(values) : Optional.empty();
  }

  private static long[] raw(TensorProto tensor, int width) {
    ByteBuffer bytes = buffer(tensor);
    long[] values = new long[bytes.remaining() / width];
    for (int i = 0; i < values.length; i++) {
      values[i] =
          switch (width) {
            case 8 -> bytes.getLong();
            case 4 -> bytes.getInt();
            default -> bytes.get();
          };
    }
    return values;
  }

  private static long[] typedIntegers(TensorProto tensor) {
    return tensor.getInt64DataCount() > 0
        ? tensor.getInt64DataList().stream().mapToLong(Long::longValue).toArray()
        : tensor.getInt32DataList().stream().mapToLong(Integer::longValue).toArray();
  }

  private static ByteBuffer buffer(TensorProto tensor) {
    return tensor.getRawData().asReadOnlyByteBuffer().order(ByteOrder.LITTLE_ENDIAN);
  }
}
