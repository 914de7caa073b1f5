package dev.graft.onnx;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import dev.graft.onnx.GraphEdit.AddInitializer;
import dev.graft.onnx.GraphEdit.Keeping;
import dev.graft.onnx.GraphEdit.RemoveInitializer;
import dev.graft.onnx.GraphEdit.RemoveNode;
import dev.graft.onnx.GraphEdit.ReplaceTensor;
import dev.graft.onnx.GraphEdit.SetAttribute;
import dev.graft.onnx.Outputs.Values;
import dev.graft.onnx.proto.GraphProto;
import dev.graft.onnx.proto.ModelProto;
import dev.graft.onnx.proto.TensorProto;
import dev.graft.tensor.DType;
import dev.graft.tensor.Shape;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TensorEditsTest {

  private static final byte[] NONE = new byte[0];

  @TempDir Path folder;
  @TempDir Path outFolder;

  private Edited sample;

  @BeforeEach
  void sample() throws IOException {
    SampleModel.write(folder);
    sample = Edited.base(folder, SampleModel.proto());
  }

  @Test
  void replacesEmbeddedTensorsByOthersOfAnotherShapeAndType() throws IOException {
    for (Shape shape : new Shape[] {Shape.of(), Shape.of(0, 3), Shape.of(7, 2), Shape.of(3000)}) {
      NewTensor embedded = tensor("embedded", DType.FLOAT16, shape);
      NewTensor inner = tensor("inner", DType.FLOAT32, shape);
      sample.gives(
          m -> {
            become(m.getGraphBuilder().getInitializerBuilder(0), embedded);
            become(body(m).getInitializerBuilder(0), inner);
            return m;
          },
          new ReplaceTensor(sample.tensor("embedded"), embedded),
          new ReplaceTensor(sample.tensor("inner"), inner));
    }
  }

  @Test
  void replacesTheTensorOfAConstant() throws IOException {
    NewTensor value = tensor("", DType.FLOAT32, Shape.of(5, 5));
    sample.gives(
        m -> {
          become(m.getGraphBuilder().getNodeBuilder(0).getAttributeBuilder(0).getTBuilder(), value);
          return m;
        },
        new ReplaceTensor(sample.tensor("c"), value));
  }

  @Test
  void replacesTypedAndPackedValuesByRawData() throws IOException {
    NewTensor typed = tensor("typed", DType.FLOAT16, Shape.of(2, 2));
    NewTensor packed = tensor("packed", DType.BFLOAT16, Shape.of(9));
    byte[] out =
        sample.bytes(
            new ReplaceTensor(sample.tensor("typed"), typed),
            new ReplaceTensor(sample.tensor("packed"), packed));
    ModelProto.Builder expected = SampleModel.proto().toBuilder();
    become(expected.getGraphBuilder().getInitializerBuilder(2), typed);
    become(expected.getGraphBuilder().getInitializerBuilder(3), packed);
    assertThat(ModelProto.parseFrom(out)).isEqualTo(expected.build());
    assertThat(out).hasSize(expected.build().getSerializedSize());
  }

  @Test
  void keepsWhatElseTheMessageHolds() throws IOException {
    byte[] doc = Wire.string(12, "doc");
    byte[] unknown = Wire.join(Wire.varint(99, 5), Wire.string(2, "no number"));
    byte[] metadata = Wire.message(16, Wire.string(1, "k"));
    byte[] name = Wire.string(8, "w");
    byte[] base =
        Wire.modelWithTensor(
            doc,
            Wire.varint(1, 2),
            unknown,
            Wire.message(9, new byte[24]),
            Wire.varint(2, 1),
            metadata,
            Wire.message(1, Wire.number(3), Wire.number(1)),
            name,
            Wire.varint(2, 1));
    Edited edited = Edited.base(folder, base);
    NewTensor by = tensor("w", DType.FLOAT16, Shape.of(5, 1));
    assertThat(edited.bytes(new ReplaceTensor(edited.tensor("w"), by)))
        .isEqualTo(
            Wire.modelWithTensor(
                doc,
                Wire.varint(1, 5),
                Wire.varint(1, 1),
                unknown,
                Wire.message(9, bytes(by)),
                Wire.varint(2, 10),
                metadata,
                name));
  }

  @Test
  void givesAScalarItsFirstDimensionsAndAnEmptyTensorItsFirstValues() throws IOException {
    byte[] scalar =
        Wire.join(Wire.varint(2, 2), Wire.string(8, "w"), Wire.message(9, NONE, Wire.raw(7)));
    Edited edited = Edited.base(folder, Wire.modelWithTensor(scalar));
    NewTensor by = tensor("w", DType.UINT8, Shape.of(2, 1));
    assertThat(edited.bytes(new ReplaceTensor(edited.tensor("w"), by)))
        .isEqualTo(
            Wire.modelWithTensor(
                Wire.varint(1, 2),
                Wire.varint(1, 1),
                Wire.varint(2, 2),
                Wire.string(8, "w"),
                Wire.message(9, bytes(by))));
    byte[] empty = Wire.join(Wire.varint(1, 0), Wire.varint(2, 2), Wire.string(8, "w"));
    edited = Edited.base(folder, Wire.modelWithTensor(empty));
    assertThat(edited.bytes(new ReplaceTensor(edited.tensor("w"), by)))
        .isEqualTo(
            Wire.modelWithTensor(
                Wire.message(9, bytes(by)),
                Wire.varint(1, 2),
                Wire.varint(1, 1),
                Wire.varint(2, 2),
                Wire.string(8, "w")));
  }

  @Test
  void putsReplacedExternalTensorsBehindTheirFileAndKeepsItsBytes() throws IOException {
    byte[] before = Files.readAllBytes(folder.resolve(SampleModel.DATA));
    NewTensor far = tensor("far", DType.FLOAT32, Shape.of(3, 2));
    NewTensor listed = tensor("listed", DType.INT8, Shape.of());
    NewTensor added = tensor("added", DType.FLOAT32, Shape.of(400));
    Map<String, FilePlan> plans =
        sample.plan(
            new ReplaceTensor(sample.tensor("far"), far),
            new AddInitializer(added, Keeping.LIKE_BASE),
            new ReplaceTensor(sample.tensor("listed"), listed));
    ModelProto.Builder expected = SampleModel.proto().toBuilder();
    become(expected.getGraphBuilder().getInitializerBuilder(1), far, 4096);
    become(
        expected
            .getGraphBuilder()
            .getNodeBuilder(1)
            .getAttributeBuilder(3)
            .getGraphsBuilder(0)
            .getInitializerBuilder(0),
        listed,
        12288);
    become(
        expected
            .getGraphBuilder()
            .addInitializerBuilder()
            .setName("added")
            .setDataLocation(TensorProto.DataLocation.EXTERNAL),
        added,
        8192);
    byte[] out = Outputs.bytes(Outputs.model(plans), NONE);
    assertThat(ModelProto.parseFrom(out)).isEqualTo(expected.build());
    assertThat(out).hasSize(expected.build().getSerializedSize());
    byte[] data = Outputs.bytes(Outputs.file(plans, SampleModel.DATA), NONE);
    assertThat(Arrays.copyOf(data, before.length)).isEqualTo(before);
    OnnxModel written = OnnxModel.open(Outputs.write(plans, outFolder, NONE));
    for (NewTensor tensor : List.of(far, listed, added)) {
      StoredTensor found =
          written.tensors().stream()
              .filter(t -> t.name().equals(tensor.name()))
              .findFirst()
              .orElseThrow();
      assertThat(Outputs.stored(found, written)).isEqualTo(bytes(tensor));
    }
  }

  @Test
  void keepsAReplacedTensorInItsOwnDataFile() throws IOException {
    Files.write(folder.resolve("one"), new byte[8]);
    Files.write(folder.resolve("other"), new byte[5000]);
    GraphProto.Builder graph = GraphProto.newBuilder();
    graph.addInitializer(Protos.external("first", 2, "one", 0));
    graph.addInitializer(Protos.external("w", 2, "other", 16));
    Edited edited = Edited.base(folder, Protos.model(graph));
    NewTensor by = tensor("w", DType.FLOAT32, Shape.of(3));
    Map<String, FilePlan> plans =
        edited.patch(
            p -> p.apply(new ReplaceTensor(edited.tensor("w"), by)),
            Map.of("one", "1", "other", "2"));
    assertThat(Outputs.file(plans, "1").lengthBytes()).isEqualTo(8);
    assertThat(Outputs.file(plans, "2").lengthBytes()).isEqualTo(8192 + 12);
    TensorProto out =
        ModelProto.parseFrom(Outputs.bytes(Outputs.model(plans), NONE))
            .getGraph()
            .getInitializer(1);
    assertThat(out.getExternalDataList())
        .containsExactly(
            Protos.entry("location", "2"),
            Protos.entry("offset", "8192"),
            Protos.entry("length", "12"));
  }

  @Test
  void dropsAChecksumAndKeepsOtherEntriesOfAReplacedTensor() throws IOException {
    TensorProto external =
        TensorProto.newBuilder()
            .setName("w")
            .addDims(2)
            .setDataType(1)
            .setDataLocation(TensorProto.DataLocation.EXTERNAL)
            .addExternalData(Protos.entry("basepath", "x"))
            .addExternalData(Protos.entry("checksum", "0123"))
            .addExternalData(Protos.entry("location", SampleModel.DATA))
            .build();
    Files.write(folder.resolve(SampleModel.DATA), new byte[8]);
    Edited edited =
        Edited.base(folder, Protos.model(GraphProto.newBuilder().addInitializer(external)));
    NewTensor by = tensor("w", DType.FLOAT32, Shape.of(1));
    TensorProto out =
        ModelProto.parseFrom(edited.bytes(new ReplaceTensor(edited.tensor("w"), by)))
            .getGraph()
            .getInitializer(0);
    assertThat(out.getExternalDataList())
        .containsExactly(
            Protos.entry("basepath", "x"),
            Protos.entry("location", SampleModel.DATA),
            Protos.entry("offset", "4096"),
            Protos.entry("length", "4"));
  }

  @Test
  void removesInitializersOfTheMainGraphAndOfSubgraphs() throws IOException {
    sample.gives(
        m -> {
          m.getGraphBuilder().removeInitializer(1);
          body(m).removeInitializer(0);
          return m;
        },
        new RemoveInitializer(sample.tensor("inner")),
        new RemoveInitializer(sample.tensor("far")));
  }

  @Test
  void renamesNoLocationInWhatIsGone() throws IOException {
    NewTensor far = tensor("far", DType.FLOAT32, Shape.of(1));
    Map<String, FilePlan> plans =
        sample.patch(
            p -> {
              p.apply(new RemoveNode(sample.node(1)));
              p.apply(new ReplaceTensor(sample.tensor("far"), far));
            },
            Map.of(SampleModel.DATA, "renamed"));
    ModelProto.Builder expected = SampleModel.proto().toBuilder();
    become(expected.getGraphBuilder().getInitializerBuilder(1), far, 4096);
    expected
        .getGraphBuilder()
        .removeNode(1)
        .getInitializerBuilder(1)
        .getExternalDataBuilder(0)
        .setValue("renamed");
    assertThat(ModelProto.parseFrom(Outputs.bytes(Outputs.model(plans), NONE)))
        .isEqualTo(expected.build());
  }

  @Test
  void renamesNoLocationInAReplacedAttribute() throws IOException {
    Map<String, FilePlan> plans =
        sample.patch(
            p -> p.apply(new SetAttribute(sample.node(1), Attributes.of("more", 1))),
            Map.of(SampleModel.DATA, "renamed"));
    ModelProto.Builder expected = SampleModel.proto().toBuilder();
    GraphProto.Builder graph = expected.getGraphBuilder();
    graph.getNodeBuilder(1).setAttribute(3, Attributes.of("more", 1));
    graph.getInitializerBuilder(1).getExternalDataBuilder(0).setValue("renamed");
    assertThat(ModelProto.parseFrom(Outputs.bytes(Outputs.model(plans), NONE)))
        .isEqualTo(expected.build());
  }

  private static GraphProto.Builder body(ModelProto.Builder model) {
    return model.getGraphBuilder().getNodeBuilder(1).getAttributeBuilder(1).getGBuilder();
  }

  private static NewTensor tensor(String name, DType type, Shape shape) {
    byte[] bytes = Protos.noise((int) type.bytes(shape.elements()), name.length());
    return new NewTensor(name, type, shape, new Values(bytes));
  }

  private static byte[] bytes(NewTensor tensor) {
    return ((Values) tensor.content()).bytes();
  }

  private static void become(TensorProto.Builder tensor, NewTensor by) {
    kind(tensor, by).clearFloatData().clearInt32Data().setRawData(ByteString.copyFrom(bytes(by)));
  }

  private static void become(TensorProto.Builder tensor, NewTensor by, long offset) {
    kind(tensor, by)
        .clearExternalData()
        .addExternalData(Protos.entry("location", SampleModel.DATA))
        .addExternalData(Protos.entry("offset", Long.toString(offset)))
        .addExternalData(Protos.entry("length", Long.toString(bytes(by).length)));
  }

  private static TensorProto.Builder kind(TensorProto.Builder tensor, NewTensor by) {
    tensor.clearDims().setDataType(by.dtype().onnxCode());
    for (long dim : by.shape().toArray()) {
      tensor.addDims(dim);
    }
    return tensor;
  }
}
