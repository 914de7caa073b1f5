package dev.graft.onnx;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.protobuf.ByteString;
import dev.graft.error.FormatException;
import dev.graft.error.UnsupportedException;
import dev.graft.io.InputFile;
import dev.graft.onnx.proto.AttributeProto;
import dev.graft.onnx.proto.GraphProto;
import dev.graft.onnx.proto.ModelProto;
import dev.graft.onnx.proto.TensorProto;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Collections;
import java.util.HexFormat;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ModelScannerTest {

  @TempDir Path folder;

  @Test
  void refusesAFileWithoutAGraph() {
    refuses(Wire.varint(1, 8), "holds no graph");
  }

  @Test
  void refusesSubMessagesThatProtobufWouldMerge() {
    byte[] graph = Wire.message(7, Wire.string(2, "g"));
    refuses(Wire.join(graph, graph), "field 7 of MODEL stands twice");
    byte[] sparse = Wire.message(15, Wire.message(1), Wire.message(1));
    refuses(Wire.model(sparse), "field 1 of SPARSE_TENSOR stands twice");
    byte[] training = Wire.message(20, Wire.message(2), Wire.message(2));
    refuses(Wire.join(graph, training), "field 2 of TRAINING_INFO stands twice");
  }

  @ParameterizedTest
  @ValueSource(ints = {5, 6, 22})
  void refusesAnAttributeWithTwoValues(int field) {
    byte[] attribute = Wire.message(5, Wire.message(field), Wire.message(field));
    refuses(
        Wire.model(Wire.message(1, attribute)), "field " + field + " of ATTRIBUTE stands twice");
  }

  @Test
  void refusesEndlessNestingOfGraphsWithoutAStackOverflow() {
    byte[] graph = new byte[0];
    for (int i = 0; i < 2000; i++) {
      graph = Wire.message(1, Wire.message(5, Wire.message(6, graph)));
    }
    refuses(Wire.model(graph), "nested deeper than 96 levels");
  }

  @Test
  void refusesMessagesNestedAHundredThousandDeepWhereverTheyStand() {
    // A type whose element type is a type, and so on: only protobuf itself goes down there.
    byte[] type = Wire.message(11, Wire.message(2, nested(100_000, 4, 1)));
    refuses(Wire.model(type), "too many levels of nesting");
    refuses(Wire.model(nested(100_000, 1, 5, 6)), "nested deeper than 96 levels");
  }

  @ParameterizedTest
  @CsvSource({
    "3a ffffffffffffffff7f, 9223372036854775807",
    "3a 80808080808080808001, 9223372036854775808"
  })
  void refusesLengthsOfTwoToThe63(String hex, String length) {
    byte[] bytes = HexFormat.of().parseHex(hex.replace(" ", ""));
    refuses(Wire.join(Wire.varint(1, 8), bytes), "byte 3 announces " + length + " bytes");
  }

  @Test
  void refusesAGraphTooLargeForTheHeapBeforeReadingIt() throws IOException {
    byte[] fields = new byte[2 << 20];
    Arrays.fill(fields, (byte) 0x08);
    Path path = Files.write(folder.resolve("m.onnx"), fields);
    try (InputFile file = InputFile.open(path)) {
      assertThatThrownBy(() -> ModelScanner.scan(file, 64 << 20))
          .isInstanceOf(UnsupportedException.class)
          .hasMessageContaining("too much beside its tensors");
    }
  }

  @Test
  void readsFieldsInAnyOrderAndPassesOverUnknownOnes() throws IOException {
    byte[] tensor =
        Wire.join(
            Wire.message(9, Protos.noise(2000, 1)),
            Wire.fixed64(77, 3),
            Wire.string(8, "w"),
            Wire.varint(2, 1),
            Wire.varint(1, 500));
    byte[] graph =
        Wire.join(
            Wire.message(5, tensor),
            Wire.string(2000, "unknown"),
            Wire.message(1, Wire.string(4, "Relu"), Wire.varint(9999, 1), Wire.string(1, "x")),
            Wire.message(5, tensor));
    byte[] model =
        Wire.join(
            Wire.message(20, Wire.message(2, graph)),
            Wire.fixed32(500, 1),
            Wire.message(7, graph),
            Wire.message(25, Wire.message(7, Wire.string(4, "Add")), Wire.string(1, "f")),
            Wire.varint(1, 8));
    skeletonIsTheModelWithoutPayloads(model);
    assertThat(scan(model).skeleton().getUnknownFields().hasField(500)).isFalse();
  }

  @Test
  void leavesOutPayloadsFromOneKilobyteOnAndAllOrNothingOfATensor() throws IOException {
    TensorProto small = Protos.embedded("small", 255);
    TensorProto large = Protos.embedded("large", 256);
    TensorProto strings =
        TensorProto.newBuilder()
            .addDims(2)
            .setDataType(8)
            .addStringData(ByteString.copyFromUtf8("a".repeat(1000)))
            .addStringData(ByteString.copyFromUtf8("b".repeat(24)))
            .build();
    TensorProto longName = Protos.embedded("n".repeat(4000), 1);
    TensorProto ints =
        TensorProto.newBuilder()
            .addDims(300)
            .setDataType(6)
            .addAllInt32Data(Collections.nCopies(300, -1))
            .build();
    GraphProto.Builder graph = GraphProto.newBuilder();
    for (TensorProto tensor : new TensorProto[] {small, large, strings, longName, ints}) {
      graph.addInitializer(tensor);
    }
    ModelProto model = Protos.model(graph);
    skeletonIsTheModelWithoutPayloads(model.toByteArray());
    GraphProto found = scan(model.toByteArray()).skeleton().getGraph();
    assertThat(found.getInitializer(0).getRawData().size()).isEqualTo(1020);
    assertThat(found.getInitializer(1).hasRawData()).isFalse();
    assertThat(found.getInitializer(2).getStringDataCount()).isZero();
    assertThat(found.getInitializer(3).hasRawData()).isTrue();
    assertThat(found.getInitializer(4).getInt32DataCount()).isZero();
  }

  @Test
  void findsTensorsInSubgraphsFunctionsAndSparseTensors() throws IOException {
    GraphProto.Builder inner =
        GraphProto.newBuilder().addInitializer(Protos.embedded("inner", 900)).setName("body");
    AttributeProto body = AttributeProto.newBuilder().setName("b").setG(inner).build();
    AttributeProto lists =
        AttributeProto.newBuilder()
            .setName("lists")
            .addGraphs(inner)
            .addTensors(Protos.embedded("t0", 800))
            .addTensors(Protos.embedded("t1", 2))
            .build();
    GraphProto.Builder graph =
        GraphProto.newBuilder()
            .addNode(
                Protos.node("Loop", "l", "x").toBuilder().addAttribute(body).addAttribute(lists))
            .addNode(Protos.constant("c", Protos.embedded("", 700)));
    graph
        .addSparseInitializerBuilder()
        .setValues(Protos.embedded("s", 600))
        .setIndices(Protos.embedded("", 600));
    ModelProto.Builder model = Protos.model(graph).toBuilder();
    model
        .addFunctionsBuilder()
        .setName("f")
        .addNode(Protos.constant("k", Protos.embedded("", 500)));
    skeletonIsTheModelWithoutPayloads(model.build().toByteArray());
  }

  private static byte[] nested(int depth, int... fields) {
    // Built from the inside out into one array: joining would copy everything at each level.
    byte[] out = new byte[depth * 5 + 16];
    int at = out.length;
    for (int i = depth - 1; i >= 0; i--) {
      byte[] head =
          Wire.join(
              Wire.number(((long) fields[i % fields.length] << 3) | 2),
              Wire.number(out.length - at));
      at -= head.length;
      System.arraycopy(head, 0, out, at, head.length);
    }
    return Arrays.copyOfRange(out, at, out.length);
  }

  private void skeletonIsTheModelWithoutPayloads(byte[] model) throws IOException {
    assertThat(scan(model).skeleton())
        .isEqualTo(Protos.withoutPayloads(ModelProto.parseFrom(model)));
  }

  private void refuses(byte[] model, String message) {
    assertThatThrownBy(() -> scan(model))
        .isInstanceOf(FormatException.class)
        .hasMessageStartingWith(folder.resolve("m.onnx") + ": ")
        .hasMessageContaining(message);
  }

  private Scan scan(byte[] model) throws IOException {
    try (InputFile file = InputFile.open(Files.write(folder.resolve("m.onnx"), model))) {
      return ModelScanner.scan(file);
    }
  }
}
