package dev.graft.onnx;

import com.google.protobuf.ByteString;
import com.google.protobuf.UnknownFieldSet;
import dev.graft.onnx.proto.AttributeProto;
import dev.graft.onnx.proto.GraphProto;
import dev.graft.onnx.proto.ModelProto;
import dev.graft.onnx.proto.NodeProto;
import dev.graft.onnx.proto.SparseTensorProto;
import dev.graft.onnx.proto.TensorProto;
import dev.graft.onnx.proto.TypeProto;
import dev.graft.onnx.proto.ValueInfoProto;
import dev.graft.tensor.DType;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Random;

/** A valid model of random structure, the same for the same seed. */
final class RandomModel {

  private static final DType[] TYPES = {
    DType.FLOAT32, DType.FLOAT32, DType.FLOAT16, DType.BFLOAT16, DType.INT64, DType.FLOAT64
  };
  private static final String[] LOCATIONS = {"d0", "./d0", "d1"};

  private final long seed;
  private final Random random;
  private final int[] dataEnds = new int[2];
  private int names;

  RandomModel(long seed) {
    this.seed = seed;
    this.random = new Random(seed);
  }

  /** Writes {@code m.onnx} and its data files. */
  Path write(Path folder) throws IOException {
    byte[] bytes = new Shuffled(random).bytes(model());
    for (int i = 0; i < dataEnds.length; i++) {
      byte[] data = Protos.noise(dataEnds[i] + random.nextInt(50), seed + i);
      Files.write(folder.resolve("d" + i), data);
    }
    return Files.write(folder.resolve("m.onnx"), bytes);
  }

  private ModelProto model() {
    ModelProto.Builder model =
        ModelProto.newBuilder().setIrVersion(9).setGraph(graph(0)).setUnknownFields(unknown());
    model.addOpsetImportBuilder().setVersion(random.nextInt(20));
    for (int i = random.nextInt(3); i > 0; i--) {
      model.addFunctionsBuilder().setName(name()).addNode(node(1)).addInput(name());
    }
    for (int i = random.nextInt(2); i > 0; i--) {
      model.addTrainingInfoBuilder().setAlgorithm(graph(2));
    }
    for (int i = random.nextInt(3); i > 0; i--) {
      model.addMetadataProps(Protos.entry(name(), name()));
    }
    return model.build();
  }

  private GraphProto graph(int depth) {
    GraphProto.Builder graph = GraphProto.newBuilder().setName(name()).setUnknownFields(unknown());
    for (int i = random.nextInt(5 - depth); i > 0; i--) {
      graph.addNode(node(depth));
    }
    for (int i = random.nextInt(5 - depth); i > 0; i--) {
      graph.addInitializer(tensor());
    }
    for (int i = random.nextInt(2); i > 0; i--) {
      graph.addSparseInitializer(sparse());
    }
    graph.addInputBuilder().setName(name()).getTypeBuilder().getTensorTypeBuilder().setElemType(1);
    for (int i = random.nextInt(3); i > 0; i--) {
      graph.addInput(value()).addOutput(value()).addValueInfo(value()).addValueInfo(value());
    }
    return graph.build();
  }

  private ValueInfoProto value() {
    ValueInfoProto.Builder value = ValueInfoProto.newBuilder().setName(name());
    value.setDocString(name()).setUnknownFields(unknown());
    TypeProto.Tensor.Builder type = value.getTypeBuilder().getTensorTypeBuilder().setElemType(1);
    type.getShapeBuilder().addDimBuilder().setDimParam(name());
    type.getShapeBuilder().addDimBuilder().setDimValue(random.nextInt(300)).setDenotation("d");
    return value.build();
  }

  private NodeProto node(int depth) {
    NodeProto.Builder node =
        NodeProto.newBuilder().setOpType("Op").setName(name()).setUnknownFields(unknown());
    for (int i = random.nextInt(4); i > 0; i--) {
      node.addInput(random.nextInt(5) == 0 ? "" : name());
    }
    node.addOutput(name());
    for (int i = random.nextInt(4); i > 0; i--) {
      node.addAttribute(attribute(depth));
    }
    return node.build();
  }

  private AttributeProto attribute(int depth) {
    AttributeProto.Builder attribute = AttributeProto.newBuilder().setName(name());
    switch (random.nextInt(depth < 2 ? 7 : 5)) {
      case 0 -> attribute.setI(random.nextLong());
      case 1 -> attribute.addFloats(random.nextFloat()).addInts(random.nextInt());
      case 2 -> attribute.setT(tensor());
      case 3 -> attribute.addTensors(tensor()).addTensors(tensor());
      case 4 -> attribute.setSparseTensor(sparse()).addSparseTensors(sparse());
      case 5 -> attribute.setG(graph(depth + 1));
      default -> attribute.addGraphs(graph(depth + 1)).addGraphs(graph(depth + 1));
    }
    return attribute.build();
  }

  private SparseTensorProto sparse() {
    SparseTensorProto.Builder sparse = SparseTensorProto.newBuilder().addDims(9);
    if (random.nextBoolean()) {
      sparse.setIndices(tensor());
    }
    return sparse.setValues(tensor()).build();
  }

  private TensorProto tensor() {
    DType type = TYPES[random.nextInt(TYPES.length)];
    TensorProto.Builder tensor =
        TensorProto.newBuilder()
            .setDataType(type.onnxCode())
            .setName(name())
            .setUnknownFields(unknown());
    int elements = 1;
    for (int i = random.nextInt(3); i > 0; i--) {
      int dim = random.nextInt(random.nextInt(4) == 0 ? 40 : 8);
      tensor.addDims(dim);
      elements *= dim;
    }
    switch (random.nextInt(3)) {
      case 0 -> external(tensor, (int) type.bytes(elements));
      case 1 -> {
        byte[] raw = new byte[(int) type.bytes(elements)];
        random.nextBytes(raw);
        tensor.setRawData(ByteString.copyFrom(raw));
      }
      default -> typed(tensor, type, elements);
    }
    return tensor.build();
  }

  private void typed(TensorProto.Builder tensor, DType type, int elements) {
    for (int i = 0; i < elements; i++) {
      switch (type) {
        case FLOAT32 -> tensor.addFloatData(random.nextFloat());
        case INT64 -> tensor.addInt64Data(random.nextLong());
        case FLOAT64 -> tensor.addDoubleData(random.nextDouble());
        default -> tensor.addInt32Data(random.nextInt(-0x8000, 0x10000));
      }
    }
  }

  private void external(TensorProto.Builder tensor, int bytes) {
    int location = random.nextInt(LOCATIONS.length);
    int file = location / 2;
    int offset = dataEnds[file] + random.nextInt(10);
    dataEnds[file] = offset + bytes;
    tensor
        .setDataLocation(TensorProto.DataLocation.EXTERNAL)
        .addExternalData(Protos.entry("offset", Integer.toString(offset)))
        .addExternalData(Protos.entry("location", LOCATIONS[location]));
    if (random.nextBoolean()) {
      tensor.addExternalData(Protos.entry("length", Integer.toString(bytes)));
    }
  }

  private UnknownFieldSet unknown() {
    UnknownFieldSet.Builder unknown = UnknownFieldSet.newBuilder();
    if (random.nextInt(3) == 0) {
      UnknownFieldSet.Field.Builder field = UnknownFieldSet.Field.newBuilder();
      field
          .addVarint(random.nextLong())
          .addFixed64(1)
          .addLengthDelimited(ByteString.copyFromUtf8("u"));
      unknown.addField(200 + random.nextInt(3000), field.build());
    }
    return unknown.build();
  }

  private String name() {
    return "n" + names++ + "_".repeat(random.nextInt(8) == 0 ? 130 : 0);
  }
}
