package dev.graft.onnx;

import com.google.protobuf.ByteString;
import com.google.protobuf.UnknownFieldSet;
import dev.graft.onnx.proto.AttributeProto;
import dev.graft.onnx.proto.GraphProto;
import dev.graft.onnx.proto.ModelProto;
import dev.graft.onnx.proto.NodeProto;
import dev.graft.onnx.proto.TensorProto;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** A small model with a tensor in every place and of every kind. */
final class SampleModel {

  static final String DATA = "m.onnx.data";
  static final int DATA_BYTES = 100;

  private SampleModel() {}

  /** Writes {@code m.onnx} and its data file and returns what the file holds. */
  static ModelProto write(Path folder) throws IOException {
    ModelProto model = proto();
    Files.write(folder.resolve(DATA), Protos.noise(DATA_BYTES, 17));
    Files.write(folder.resolve("m.onnx"), model.toByteArray());
    return model;
  }

  static ModelProto proto() {
    ModelProto.Builder model = Protos.model(graph()).toBuilder().setProducerName("test");
    model.addOpsetImportBuilder().setVersion(18);
    model.addMetadataProps(Protos.entry("key", "first"));
    model.addMetadataProps(Protos.entry("key", "last"));
    model
        .addFunctionsBuilder()
        .setName("f")
        .setDomain("d")
        .addNode(Protos.constant("k", Protos.embedded("", 3)))
        .addAttributeProto(tensor("default", Protos.embedded("", 2)));
    model
        .addTrainingInfoBuilder()
        .setAlgorithm(GraphProto.newBuilder().addInitializer(Protos.embedded("train", 2)));
    return model.setUnknownFields(unknown()).build();
  }

  private static GraphProto.Builder graph() {
    GraphProto.Builder graph =
        GraphProto.newBuilder()
            .setName("main")
            .addNode(Protos.constant("c", Protos.embedded("", 300)))
            .addNode(loop())
            .addNode(Protos.node("MatMul", "y", "x", "far"))
            .addInitializer(Protos.embedded("embedded", 40))
            .addInitializer(Protos.external("far", 8, DATA, 13))
            .addInitializer(typed())
            .addInitializer(packedFloats())
            .setUnknownFields(unknown());
    graph
        .addSparseInitializerBuilder()
        .setValues(Protos.embedded("sparse", 2))
        .setIndices(indices());
    graph.addInputBuilder().setName("x").getTypeBuilder().getTensorTypeBuilder().setElemType(1);
    return graph;
  }

  private static NodeProto.Builder loop() {
    GraphProto inner =
        GraphProto.newBuilder()
            .addInitializer(Protos.embedded("inner", 10))
            .addNode(Protos.node("Add", "z", "inner", "embedded"))
            .build();
    GraphProto listed =
        GraphProto.newBuilder().addInitializer(Protos.external("listed", 4, DATA, 60)).build();
    return Protos.node("Loop", "loop", "x").toBuilder()
        .addAttribute(AttributeProto.newBuilder().setName("n").setI(-3))
        .addAttribute(AttributeProto.newBuilder().setName("body").setG(inner))
        .addAttribute(
            AttributeProto.newBuilder()
                .setName("pair")
                .addTensors(Protos.embedded("", 1))
                .addTensors(Protos.embedded("", 2)))
        .addAttribute(AttributeProto.newBuilder().setName("more").addGraphs(listed));
  }

  private static AttributeProto.Builder tensor(String name, TensorProto value) {
    return AttributeProto.newBuilder().setName(name).setT(value);
  }

  private static TensorProto.Builder typed() {
    return TensorProto.newBuilder()
        .setName("typed")
        .addDims(3)
        .setDataType(10)
        .addAllInt32Data(List.of(0x3c00, 0xbc00, -5));
  }

  private static TensorProto.Builder packedFloats() {
    return TensorProto.newBuilder()
        .setName("packed")
        .addDims(2)
        .addDims(2)
        .setDataType(1)
        .addAllFloatData(List.of(1f, 2f, 3f, 4f));
  }

  private static TensorProto.Builder indices() {
    return TensorProto.newBuilder().addDims(2).setDataType(7).addInt64Data(0).addInt64Data(5);
  }

  private static UnknownFieldSet unknown() {
    return UnknownFieldSet.newBuilder()
        .addField(
            300,
            UnknownFieldSet.Field.newBuilder()
                .addVarint(5)
                .addLengthDelimited(ByteString.copyFromUtf8("later version"))
                .build())
        .build();
  }
}
