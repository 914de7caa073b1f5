package dev.graft.onnx;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.protobuf.ByteString;
import dev.graft.io.InputFile;
import dev.graft.onnx.Outputs.Values;
import dev.graft.onnx.proto.GraphProto;
import dev.graft.onnx.proto.ModelProto;
import dev.graft.tensor.DType;
import dev.graft.tensor.Shape;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import java.util.function.Consumer;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ModelPatchTest {

  @TempDir Path folder;

  private ModelProto whole;
  private OnnxModel model;

  @BeforeEach
  void sample() throws IOException {
    use(SampleModel.proto());
  }

  @Test
  void refusesValuesOfAnotherLengthAndTwoValuesForOneTensor() {
    assertThatThrownBy(
            () -> patch(p -> p.replaceValues(tensor("embedded"), new Values(new byte[8]))))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("tensor 'embedded' has 160 bytes, not 8");
    Consumer<ModelPatch> once = p -> p.replaceValues(tensor("far"), values(32));
    assertThatThrownBy(() -> patch(once.andThen(once)))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("replaced twice");
  }

  @Test
  void refusesAnInputThatTheNodeDoesNotHave() {
    NodePart matMul = model.graph().nodes().get(2);
    for (int input : new int[] {-1, 2}) {
      assertThatThrownBy(() -> patch(p -> p.rewireInput(matMul, input, "v")))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("has 2 inputs, none with index " + input);
    }
  }

  @Test
  void refusesToRewireOneInputTwice() {
    NodePart matMul = model.graph().nodes().get(2);
    Consumer<ModelPatch> once = p -> p.rewireInput(matMul, 0, "v");
    assertThatThrownBy(() -> patch(once.andThen(once))).isInstanceOf(IllegalStateException.class);
  }

  @Test
  void refusesToBeLaidOutTwice() throws IOException {
    try (InputFile file = InputFile.open(model.path())) {
      ModelPatch patch = new ModelPatch(model, file);
      patch.plan(Map.of());
      assertThatThrownBy(() -> patch.plan(Map.of())).isInstanceOf(IllegalStateException.class);
    }
  }

  @Test
  void copiesEverythingWhereNothingChanges() throws IOException {
    byte[] base = Files.readAllBytes(model.path());
    assertThat(apply(p -> {}, UnaryOperator.identity())).isEqualTo(base);
  }

  @Test
  void replacesAnEmbeddedPayloadWhereverItStands() throws IOException {
    byte[] base = Files.readAllBytes(model.path());
    for (String label : new String[] {"embedded", "packed", "inner", "c", "sparse", "k", "train"}) {
      StoredTensor tensor = tensor(label);
      Values values = values((int) tensor.bytes());
      byte[] expected = base.clone();
      int at = (int) tensor.source().orElseThrow().offset();
      System.arraycopy(values.bytes(), 0, expected, at, values.bytes().length);
      byte[] out = model(patch(p -> p.replaceValues(tensor, values)));
      assertThat(Arrays.equals(out, expected)).as(label).isTrue();
    }
  }

  @Test
  void turnsTypedValuesIntoRawData() throws IOException {
    Values values = values(6);
    apply(
        p -> p.replaceValues(tensor("typed"), values),
        m -> {
          m.getGraphBuilder()
              .getInitializerBuilder(2)
              .clearInt32Data()
              .setRawData(ByteString.copyFrom(values.bytes()));
          return m;
        });
  }

  @Test
  void turnsScatteredTypedValuesIntoOneRawData() throws IOException {
    byte[] run = Wire.message(4, Wire.floats(1, 2));
    byte[] tensor =
        Wire.join(
            Wire.fixed32(4, 5),
            run,
            Wire.string(8, "w"),
            Wire.varint(4, 7),
            run,
            Wire.fixed32(4, 1),
            Wire.varint(2, 1),
            Wire.varint(1, 6));
    Files.write(folder.resolve("m.onnx"), Wire.modelWithTensor(tensor));
    model = OnnxModel.open(folder.resolve("m.onnx"));
    Values values = values(24);
    byte[] expected =
        Wire.modelWithTensor(
            Wire.message(9, values.bytes()),
            Wire.string(8, "w"),
            Wire.varint(4, 7),
            Wire.varint(2, 1),
            Wire.varint(1, 6));
    assertThat(model(patch(p -> p.replaceValues(tensor("w"), values)))).isEqualTo(expected);
  }

  @Test
  void rewiresInputsOfNodesAndOfNodesInSubgraphs() throws IOException {
    NodePart matMul = model.graph().nodes().get(2);
    NodePart inSubgraph = model.graph().nodes().get(1).subgraphs().getFirst().nodes().getFirst();
    String longName = "long".repeat(50);
    apply(
        p -> {
          p.rewireInput(matMul, 1, "v");
          p.rewireInput(inSubgraph, 1, longName);
          p.rewireInput(inSubgraph, 0, "");
        },
        m -> {
          GraphProto.Builder graph = m.getGraphBuilder();
          graph.getNodeBuilder(2).setInput(1, "v");
          graph
              .getNodeBuilder(1)
              .getAttributeBuilder(1)
              .getGBuilder()
              .getNodeBuilder(0)
              .setInput(0, "")
              .setInput(1, longName);
          return m;
        });
  }

  @Test
  void addsEmbeddedTensorsAndMetadataAlsoWhereTheGraphComesLast() throws IOException {
    byte[] graph = Wire.message(7, Wire.message(1, Wire.string(4, "Relu")), Wire.string(2, "g"));
    byte[] base = Wire.join(Wire.varint(1, 8), graph);
    Files.write(folder.resolve("m.onnx"), base);
    model = OnnxModel.open(folder.resolve("m.onnx"));
    Values values = values(200);
    byte[] out =
        model(
            patch(p -> {
              p.appendMetadata("key", 5);
              p.addInitializer(new NewTensor("n", DType.INT8, Shape.of(200), values));
            }));
    ModelProto.Builder expected = ModelProto.parseFrom(base).toBuilder();
    expected
        .getGraphBuilder()
        .addInitializerBuilder()
        .addDims(200)
        .setDataType(3)
        .setName("n")
        .setRawData(ByteString.copyFrom(values.bytes()));
    expected.addMetadataProps(Protos.entry("key", "value"));
    assertThat(ModelProto.parseFrom(out)).isEqualTo(expected.build());
  }

  @Test
  void appendsMetadataAtTheEnd() throws IOException {
    byte[] base = Files.readAllBytes(model.path());
    byte[] out =
        apply(
            p -> p.appendMetadata("graft", 5),
            m -> m.addMetadataProps(Protos.entry("graft", "value")));
    assertThat(Arrays.copyOf(out, base.length)).isEqualTo(base);
  }

  /** Patches, holds the model against what is expected, and returns its bytes. */
  private byte[] apply(Consumer<ModelPatch> edits, UnaryOperator<ModelProto.Builder> expected)
      throws IOException {
    byte[] out = model(patch(edits));
    ModelProto after = expected.apply(whole.toBuilder()).build();
    assertThat(ModelProto.parseFrom(out)).isEqualTo(after);
    assertThat(out).hasSize(after.getSerializedSize());
    return out;
  }

  private Map<String, FilePlan> patch(Consumer<ModelPatch> edits) {
    try (InputFile file = InputFile.open(model.path())) {
      ModelPatch patch = new ModelPatch(model, file);
      edits.accept(patch);
      return patch.plan(Map.of());
    }
  }

  private static byte[] model(Map<String, FilePlan> plans) throws IOException {
    return Outputs.bytes(Outputs.model(plans), "value".getBytes(StandardCharsets.US_ASCII));
  }

  private static Values values(int bytes) {
    return new Values(Protos.noise(bytes, 99));
  }

  private StoredTensor tensor(String label) {
    return model.tensors().stream().filter(t -> t.label().equals(label)).findFirst().orElseThrow();
  }

  private void use(ModelProto proto) throws IOException {
    SampleModel.write(folder);
    Files.write(folder.resolve("m.onnx"), proto.toByteArray());
    whole = proto;
    model = OnnxModel.open(folder.resolve("m.onnx"));
  }
}
