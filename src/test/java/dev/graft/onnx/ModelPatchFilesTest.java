package dev.graft.onnx;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.graft.error.UnsupportedException;
import dev.graft.io.InputFile;
import dev.graft.onnx.GraphEdit.AddInitializer;
import dev.graft.onnx.GraphEdit.Keeping;
import dev.graft.onnx.Outputs.Length;
import dev.graft.onnx.Outputs.Values;
import dev.graft.onnx.StoredTensor.Storage;
import dev.graft.onnx.proto.GraphProto;
import dev.graft.onnx.proto.ModelProto;
import dev.graft.onnx.proto.TensorProto;
import dev.graft.tensor.DType;
import dev.graft.tensor.Shape;
import dev.graft.tensor.TensorSource;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The files of a patched model: their names, their number, their size. */
class ModelPatchFilesTest {

  private static final byte[] NONE = new byte[0];

  @TempDir Path folder;
  @TempDir Path outFolder;

  @Test
  void refusesToGiveTwoFilesOneName() throws IOException {
    OnnxModel model = model(Protos.external("a", 2, "x", 0), Protos.external("b", 2, "y", 0));
    for (Map<String, String> names : List.of(Map.of("x", "y"), Map.of("x", "o", "y", "o"))) {
      assertThatThrownBy(() -> plan(model, _ -> {}, names))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("two data files would get one name");
    }
  }

  @Test
  void refusesAModelFileOfMoreThanTwoGigabytes() throws IOException {
    OnnxModel model = sparseModel((1L << 31) - 200);
    assertThat(Outputs.model(plan(model, p -> p.appendMetadata("k", 100), Map.of())).lengthBytes())
        .isLessThan(1L << 31);
    assertThatThrownBy(() -> plan(model, p -> p.appendMetadata("k", 200), Map.of()))
        .isInstanceOf(UnsupportedException.class)
        .hasMessageContainingAll("m.onnx: the output would have 2,147,483,", "end at 2 GB");
    NewTensor large = new NewTensor("n", DType.INT8, Shape.of(1 << 20), new Length(1 << 20));
    assertThatThrownBy(() -> plan(model, p -> p.addInitializer(large), Map.of()))
        .isInstanceOf(UnsupportedException.class);
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 8, 20, 60, 61, 70, 90, 100, 110, 127, 128, 300, 16300, 16384})
  void renamesDataFilesWhateverTheLengthOfTheName(int length) throws IOException {
    ModelProto whole = SampleModel.write(folder);
    OnnxModel model = OnnxModel.open(folder.resolve("m.onnx"));
    String name = "d".repeat(length);
    byte[] out =
        Outputs.bytes(Outputs.model(plan(model, _ -> {}, Map.of(SampleModel.DATA, name))), NONE);
    ModelProto expected = renamed(whole, name).build();
    assertThat(ModelProto.parseFrom(out)).isEqualTo(expected);
    assertThat(out).hasSize(expected.getSerializedSize());
  }

  @Test
  void changesTheLocationAloneInsideItsEntry() throws IOException {
    byte[] entry =
        Wire.join(
            Wire.string(2, "old"),
            Wire.varint(50, 1),
            Wire.string(2, "x"),
            Wire.string(1, "location"));
    byte[] decoy = Wire.varint(13, 4);
    byte[] tensor =
        Wire.join(
            decoy,
            Wire.message(13, entry),
            Wire.varint(1, 1),
            Wire.varint(2, 1),
            Wire.varint(14, 1));
    Files.write(folder.resolve("x"), new byte[4]);
    Files.write(folder.resolve("m.onnx"), Wire.modelWithTensor(tensor));
    OnnxModel model = OnnxModel.open(folder.resolve("m.onnx"));
    byte[] newEntry =
        Wire.join(
            Wire.string(2, "old"),
            Wire.varint(50, 1),
            Wire.string(2, "new"),
            Wire.string(1, "location"));
    byte[] expected =
        Wire.modelWithTensor(
            decoy,
            Wire.message(13, newEntry),
            Wire.varint(1, 1),
            Wire.varint(2, 1),
            Wire.varint(14, 1));
    assertThat(Outputs.bytes(Outputs.model(plan(model, _ -> {}, Map.of("x", "new"))), NONE))
        .isEqualTo(expected);
  }

  @Test
  void swapsTheNamesOfTwoFiles() throws IOException {
    OnnxModel model = model(Protos.external("a", 2, "x", 0), Protos.external("b", 2, "y", 4));
    byte[] a = stored(model, 0);
    byte[] b = stored(model, 1);
    OnnxModel out = write(plan(model, _ -> {}, Map.of("x", "y", "y", "x")));
    assertThat(out.dataFiles().sequencedKeySet()).containsExactly("y", "x");
    assertThat(stored(out, 0)).isEqualTo(a);
    assertThat(stored(out, 1)).isEqualTo(b);
  }

  @Test
  void writesAFileOnceThatTwoLocationsMean() throws IOException {
    OnnxModel model = model(Protos.external("a", 2, "x", 0), Protos.external("b", 2, "./x", 8));
    Values values = new Values(Protos.noise(8, 3));
    Map<String, String> names = new LinkedHashMap<>(Map.of("x", "o.data", "./x", "o.data.1"));
    Map<String, FilePlan> plans =
        plan(model, p -> p.replaceValues(model.tensors().get(1), values), names);
    assertThat(plans.keySet()).containsExactly("o.data", "");
    OnnxModel out = write(plans);
    assertThat(stored(out, 0)).isEqualTo(stored(model, 0));
    assertThat(stored(out, 1)).isEqualTo(values.bytes());
    assertThat(out.dataFiles().sequencedKeySet()).containsExactly("o.data");
  }

  @Test
  void keepsUnreferencedBytesAndOverlapsThatItDoesNotTouch() throws IOException {
    OnnxModel model =
        model(
            Protos.external("a", 2, "x", 3),
            Protos.external("b", 4, "x", 20),
            Protos.external("c", 4, "x", 24));
    byte[] expected = Files.readAllBytes(folder.resolve("x"));
    Values values = new Values(Protos.noise(8, 4));
    System.arraycopy(values.bytes(), 0, expected, 3, 8);
    Map<String, FilePlan> plans =
        plan(model, p -> p.replaceValues(model.tensors().getFirst(), values), Map.of());
    assertThat(Outputs.bytes(Outputs.file(plans, "x"), NONE)).isEqualTo(expected);
  }

  @Test
  void putsNewTensorsBehindTheFirstDataFile() throws IOException {
    OnnxModel model = model(Protos.external("a", 2, "x", 3), Protos.embedded("b", 2));
    Values first = new Values(Protos.noise(6000, 1));
    Values second = new Values(Protos.noise(1024, 2));
    OnnxModel out =
        write(
            plan(
                model,
                p -> {
                  p.addInitializer(new NewTensor("n1", DType.BFLOAT16, Shape.of(3, 1000), first));
                  p.addInitializer(new NewTensor("n2", DType.FLOAT32, Shape.of(256), second));
                },
                Map.of("x", "o.data")));
    assertThat(out.tensors()).extracting(StoredTensor::label).containsExactly("a", "b", "n1", "n2");
    assertThat(stored(out, 0)).isEqualTo(stored(model, 0));
    assertThat(stored(out, 2)).isEqualTo(first.bytes());
    assertThat(stored(out, 3)).isEqualTo(second.bytes());
    assertThat(out.tensors().get(2).shape()).isEqualTo(Shape.of(3, 1000));
    assertThat(out.tensors().get(2).dtype()).isEqualTo(DType.BFLOAT16);
    assertThat(out.tensors().get(3).source().orElseThrow().offset()).isEqualTo(12288);
  }

  @Test
  void embedsNewTensorsThatAreSmallOrAskForIt() throws IOException {
    OnnxModel model = model(Protos.external("a", 2, "x", 3));
    Values small = new Values(Protos.noise(1020, 1));
    Values large = new Values(Protos.noise(1024, 2));
    Map<String, FilePlan> plans =
        plan(
            model,
            p -> {
              p.addInitializer(new NewTensor("small", DType.FLOAT32, Shape.of(255), small));
              p.apply(
                  new AddInitializer(
                      new NewTensor("large", DType.FLOAT32, Shape.of(256), large),
                      Keeping.EMBEDDED));
            },
            Map.of());
    OnnxModel out = write(plans);
    assertThat(out.tensors())
        .extracting(StoredTensor::storage)
        .containsExactly(Storage.EXTERNAL, Storage.EMBEDDED, Storage.EMBEDDED);
    assertThat(stored(out, 1)).isEqualTo(small.bytes());
    assertThat(stored(out, 2)).isEqualTo(large.bytes());
    assertThat(Outputs.bytes(Outputs.file(plans, "x"), NONE))
        .isEqualTo(Files.readAllBytes(folder.resolve("x")));
  }

  @Test
  void plansManyExternalTensorsInLinearTime() throws IOException {
    GraphProto.Builder graph = GraphProto.newBuilder();
    for (int i = 0; i < 30_000; i++) {
      graph.addInitializer(Protos.external("layers." + i + ".weight", 1, "x", 4L * i));
    }
    Files.write(folder.resolve("x"), new byte[120_000]);
    ModelProto whole = Protos.model(graph);
    Files.write(folder.resolve("m.onnx"), whole.toByteArray());
    OnnxModel model = OnnxModel.open(folder.resolve("m.onnx"));
    long start = cpuNanos();
    Map<String, FilePlan> plans =
        plan(
            model,
            p -> model.tensors().forEach(t -> p.replaceValues(t, new Values(new byte[4]))),
            Map.of("x", "out.onnx.data"));
    // A tenth of that is normal; searching through all tensors for each would take minutes.
    assertThat(cpuNanos() - start).isLessThan(5_000_000_000L);
    assertThat(Outputs.model(plans).lengthBytes())
        .isEqualTo(whole.getSerializedSize() + 30_000L * ("out.onnx.data".length() - 1));
  }

  /** Processor time of this thread, which other programs do not lengthen. */
  private static long cpuNanos() {
    return ManagementFactory.getThreadMXBean().getCurrentThreadCpuTime();
  }

  private static ModelProto.Builder renamed(ModelProto whole, String name) {
    ModelProto.Builder renamed = whole.toBuilder();
    GraphProto.Builder graph = renamed.getGraphBuilder();
    graph.getInitializerBuilder(1).getExternalDataBuilder(0).setValue(name);
    graph
        .getNodeBuilder(1)
        .getAttributeBuilder(3)
        .getGraphsBuilder(0)
        .getInitializerBuilder(0)
        .getExternalDataBuilder(0)
        .setValue(name);
    return renamed;
  }

  private static Map<String, FilePlan> plan(
      OnnxModel model, Consumer<ModelPatch> edits, Map<String, String> names) {
    try (InputFile file = InputFile.open(model.path())) {
      ModelPatch patch = new ModelPatch(model, file);
      edits.accept(patch);
      return patch.plan(names);
    }
  }

  private OnnxModel write(Map<String, FilePlan> plans) throws IOException {
    return OnnxModel.open(Outputs.write(plans, outFolder, NONE));
  }

  private static byte[] stored(OnnxModel model, int index) throws IOException {
    TensorSource source = model.tensors().get(index).source().orElseThrow();
    return Arrays.copyOfRange(
        Files.readAllBytes(source.file()), (int) source.offset(), (int) source.end());
  }

  /** A model with these initializers beside the data files x and y of 50 bytes. */
  private OnnxModel model(TensorProto... tensors) throws IOException {
    Files.write(folder.resolve("x"), Protos.noise(50, 1));
    Files.write(folder.resolve("y"), Protos.noise(50, 2));
    GraphProto.Builder graph = GraphProto.newBuilder();
    for (TensorProto tensor : tensors) {
      graph.addInitializer(tensor);
    }
    Path path = Files.write(folder.resolve("m.onnx"), Protos.model(graph).toByteArray());
    return OnnxModel.open(path);
  }

  /** One embedded tensor of so many bytes, none of which is on the disk. */
  private OnnxModel sparseModel(long bytes) throws IOException {
    byte[] head =
        Wire.join(
            Wire.varint(1, bytes), Wire.varint(2, 3), Wire.raw((9 << 3) | 2), Wire.number(bytes));
    byte[] tensor = Wire.join(Wire.raw((5 << 3) | 2), Wire.number(head.length + bytes), head);
    byte[] start = Wire.join(Wire.raw((7 << 3) | 2), Wire.number(tensor.length + bytes), tensor);
    Path path = Files.write(folder.resolve("m.onnx"), start);
    try (RandomAccessFile file = new RandomAccessFile(path.toFile(), "rw")) {
      file.setLength(start.length + bytes);
    }
    return OnnxModel.open(path);
  }
}
