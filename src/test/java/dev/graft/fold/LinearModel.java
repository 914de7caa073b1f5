package dev.graft.fold;

import com.google.protobuf.ByteString;
import dev.graft.onnx.proto.AttributeProto;
import dev.graft.onnx.proto.GraphProto;
import dev.graft.onnx.proto.ModelProto;
import dev.graft.onnx.proto.NodeProto;
import dev.graft.onnx.proto.OperatorSetIdProto;
import dev.graft.onnx.proto.StringStringEntryProto;
import dev.graft.onnx.proto.TensorProto;
import dev.graft.safetensors.SafetensorsWriter;
import dev.graft.tensor.DType;
import dev.graft.tensor.FloatCodec;
import dev.graft.tensor.Shape;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Random;

/**
 * A model of two layers with random weights, {@code fc} by MatMul in {@code [in, out]} and {@code
 * head} by Gemm in {@code [out, in]}, and an adapter for both.
 */
final class LinearModel {

  static final int IN = 37;
  static final int OUT = 53;
  static final int RANK = 7;
  static final float SCALE = 1.5f;

  final float[][] aOfFc;
  final float[][] bOfFc;
  final float[][] aOfHead;
  final float[][] bOfHead;
  final byte[] fc;
  final byte[] head;
  private final DType type;
  private final DType adapterType;

  LinearModel(DType type, DType adapterType, long seed) {
    Random random = new Random(seed);
    this.type = type;
    this.adapterType = adapterType;
    this.fc = bytes(type, floats(random, IN * OUT, 0.2f));
    this.head = bytes(type, floats(random, OUT * OUT, 0.2f));
    this.aOfFc = rows(random, RANK, IN);
    this.bOfFc = rows(random, OUT, RANK);
    this.aOfHead = rows(random, RANK, OUT);
    this.bOfHead = rows(random, OUT, RANK);
  }

  /** Writes the model with embedded weights. */
  Path writeModel(Path folder) throws IOException {
    return write(
        folder, tensor("onnx::MatMul_1", IN, OUT, fc), tensor("head.weight", OUT, OUT, head));
  }

  /** Writes the model with both weights in a data file, the first at an odd offset. */
  Path writeExternalModel(Path folder) throws IOException {
    byte[] data = new byte[3 + fc.length + head.length + 5];
    System.arraycopy(fc, 0, data, 3, fc.length);
    System.arraycopy(head, 0, data, 3 + fc.length, head.length);
    data[0] = 42;
    data[data.length - 1] = 43;
    Files.write(folder.resolve("weights.bin"), data);
    return write(
        folder,
        external("onnx::MatMul_1", IN, OUT, 3),
        external("head.weight", OUT, OUT, 3 + fc.length));
  }

  /** Writes the model with its weights in typed fields. */
  Path writeTypedModel(Path folder) throws IOException {
    return write(
        folder, typed("onnx::MatMul_1", IN, OUT, fc), typed("head.weight", OUT, OUT, head));
  }

  /** Writes the adapter. */
  Path writeAdapter(Path folder) throws IOException {
    Files.createDirectories(folder);
    Files.writeString(
        folder.resolve("adapter_config.json"),
        "{\"peft_type\": \"LORA\", \"r\": " + RANK + ", \"lora_alpha\": " + RANK * SCALE + "}");
    SafetensorsWriter writer = new SafetensorsWriter();
    add(writer, "fc.lora_A", aOfFc);
    add(writer, "fc.lora_B", bOfFc);
    add(writer, "head.lora_A", aOfHead);
    add(writer, "head.lora_B", bOfHead);
    writer.write(folder.resolve("adapter_model.safetensors"));
    return folder;
  }

  /** Values as the type keeps them. */
  static float[] decoded(DType type, byte[] bytes) {
    int count = bytes.length * 8 / type.bits();
    float[] values = new float[count];
    new FloatCodec(type, count).decode(MemorySegment.ofArray(bytes), 0, values, count);
    return values;
  }

  private void add(SafetensorsWriter writer, String name, float[][] rows) {
    float[] flat = new float[rows.length * rows[0].length];
    for (int i = 0; i < rows.length; i++) {
      System.arraycopy(rows[i], 0, flat, i * rows[0].length, rows[0].length);
    }
    writer.add(
        "base_model.model." + name + ".weight",
        adapterType,
        Shape.of(rows.length, rows[0].length),
        MemorySegment.ofArray(bytes(adapterType, flat)));
  }

  /** Random rows that the adapter's type can hold exactly. */
  private float[][] rows(Random random, int rows, int columns) {
    float[][] values = new float[rows][];
    for (int i = 0; i < rows; i++) {
      values[i] = decoded(adapterType, bytes(adapterType, floats(random, columns, 0.3f)));
    }
    return values;
  }

  private static float[] floats(Random random, int count, float size) {
    float[] values = new float[count];
    for (int i = 0; i < count; i++) {
      values[i] = (float) random.nextGaussian() * size;
    }
    return values;
  }

  private static byte[] bytes(DType type, float[] values) {
    byte[] bytes = new byte[values.length * type.bits() / 8];
    new FloatCodec(type, values.length)
        .encode(values, values.length, MemorySegment.ofArray(bytes), 0);
    return bytes;
  }

  private TensorProto.Builder tensor(String name, int rows, int columns) {
    return TensorProto.newBuilder()
        .setName(name)
        .setDataType(type.onnxCode())
        .addDims(rows)
        .addDims(columns);
  }

  private TensorProto tensor(String name, int rows, int columns, byte[] raw) {
    return tensor(name, rows, columns).setRawData(ByteString.copyFrom(raw)).build();
  }

  private TensorProto external(String name, int rows, int columns, int offset) {
    int length = rows * columns * type.bits() / 8;
    return tensor(name, rows, columns)
        .setDataLocation(TensorProto.DataLocation.EXTERNAL)
        .addExternalData(entry("location", "weights.bin"))
        .addExternalData(entry("offset", Integer.toString(offset)))
        .addExternalData(entry("length", Integer.toString(length)))
        .build();
  }

  private TensorProto typed(String name, int rows, int columns, byte[] raw) {
    TensorProto.Builder tensor = tensor(name, rows, columns);
    if (type == DType.FLOAT32) {
      for (float value : decoded(type, raw)) {
        tensor.addFloatData(value);
      }
      return tensor.build();
    }
    for (int i = 0; i < raw.length; i += 2) {
      tensor.addInt32Data((raw[i] & 0xff) | (raw[i + 1] & 0xff) << 8);
    }
    return tensor.build();
  }

  private static StringStringEntryProto entry(String key, String value) {
    return StringStringEntryProto.newBuilder().setKey(key).setValue(value).build();
  }

  private static Path write(Path folder, TensorProto... weights) throws IOException {
    GraphProto.Builder graph =
        GraphProto.newBuilder()
            .setName("g")
            .addNode(node("MatMul", "/fc/MatMul", "x", "onnx::MatMul_1", "h"))
            .addNode(
                node("Gemm", "/head/Gemm", "h", "head.weight", "y").toBuilder()
                    .addAttribute(
                        AttributeProto.newBuilder()
                            .setName("transB")
                            .setType(AttributeProto.AttributeType.INT)
                            .setI(1)));
    for (TensorProto weight : weights) {
      graph.addInitializer(weight);
    }
    ModelProto model =
        ModelProto.newBuilder()
            .setIrVersion(8)
            .addOpsetImport(OperatorSetIdProto.newBuilder().setVersion(17))
            .setGraph(graph)
            .build();
    Files.createDirectories(folder);
    Path path = folder.resolve("model.onnx");
    Files.write(path, model.toByteArray());
    return path;
  }

  private static NodeProto node(String op, String name, String x, String w, String y) {
    return NodeProto.newBuilder()
        .setOpType(op)
        .setName(name)
        .addInput(x)
        .addInput(w)
        .addOutput(y)
        .build();
  }
}
