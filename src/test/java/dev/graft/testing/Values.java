package dev.graft.testing;

import com.google.protobuf.ByteString;
import dev.graft.onnx.proto.TensorProto;
import dev.graft.tensor.DType;
import dev.graft.tensor.FloatCodec;
import dev.graft.tensor.Shape;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.Random;

/**
 * A tensor of a test: values that its type can hold exactly, row-major.
 *
 * @param type the element type
 * @param shape the dimensions
 * @param floats the values
 */
@SuppressWarnings("ArrayRecordComponent") // Compared by hand where it matters.
public record Values(DType type, Shape shape, float[] floats) {

  /** Random float32 values of about a third in size, the same for the same seed. */
  public static Values random(long seed, long... dims) {
    Random random = new Random(seed);
    Shape shape = Shape.of(dims);
    float[] floats = new float[Math.toIntExact(shape.elements())];
    for (int i = 0; i < floats.length; i++) {
      floats[i] = (float) random.nextGaussian() / 3;
    }
    return new Values(DType.FLOAT32, shape, floats);
  }

  /** All values the same. */
  public static Values filled(float value, long... dims) {
    Shape shape = Shape.of(dims);
    float[] floats = new float[Math.toIntExact(shape.elements())];
    Arrays.fill(floats, value);
    return new Values(DType.FLOAT32, shape, floats);
  }

  /** The same values rounded to another type. */
  public Values as(DType other) {
    Values rounded = new Values(other, shape, floats);
    return new Values(other, shape, rounded.decoded());
  }

  /** A matrix the other way round. */
  public Values transposed() {
    int rows = rows();
    int columns = columns();
    float[] turned = new float[floats.length];
    for (int i = 0; i < rows; i++) {
      for (int j = 0; j < columns; j++) {
        turned[j * rows + i] = floats[i * columns + j];
      }
    }
    return new Values(type, shape.transposed(), turned);
  }

  /** The first dimension. */
  public int rows() {
    return Math.toIntExact(shape.dim(0));
  }

  /** The second dimension. */
  public int columns() {
    return Math.toIntExact(shape.dim(1));
  }

  /** One value of a matrix. */
  public float at(int row, int column) {
    return floats[row * columns() + column];
  }

  /** The stored bytes, little-endian. */
  public byte[] bytes() {
    if (!type.isFoldable()) {
      byte[] zeros = new byte[Math.toIntExact(type.bytes(shape.elements()))];
      for (int i = 0; i < Math.min(zeros.length, floats.length); i++) {
        zeros[i] = (byte) (floats[i] * 100);
      }
      return zeros;
    }
    byte[] bytes = new byte[floats.length * type.bits() / 8];
    new FloatCodec(type, Math.max(1, floats.length))
        .encode(floats, floats.length, MemorySegment.ofArray(bytes), 0);
    return bytes;
  }

  /** A tensor of the model file with the values in {@code raw_data}. */
  public TensorProto tensor(String name) {
    return head(name).setRawData(ByteString.copyFrom(bytes())).build();
  }

  /** A tensor of the model file with the values in typed fields, one by one. */
  public TensorProto typed(String name) {
    TensorProto.Builder tensor = head(name);
    for (float value : floats) {
      tensor.addFloatData(value);
    }
    return tensor.build();
  }

  TensorProto.Builder head(String name) {
    TensorProto.Builder tensor =
        TensorProto.newBuilder().setName(name).setDataType(type.onnxCode());
    for (long dim : shape.toArray()) {
      tensor.addDims(dim);
    }
    return tensor;
  }

  private float[] decoded() {
    float[] values = new float[floats.length];
    if (values.length > 0) {
      new FloatCodec(type, values.length)
          .decode(MemorySegment.ofArray(bytes()), 0, values, values.length);
    }
    return values;
  }
}
