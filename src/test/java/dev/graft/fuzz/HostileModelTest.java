package dev.graft.fuzz;

import static org.assertj.core.api.Assertions.assertThat;

import dev.graft.graph.ModelGraph;
import dev.graft.match.SiteIndex;
import dev.graft.onnx.OnnxModel;
import dev.graft.onnx.proto.GraphProto;
import dev.graft.onnx.proto.ModelProto;
import dev.graft.onnx.proto.NodeProto;
import dev.graft.onnx.proto.OperatorSetIdProto;
import dev.graft.onnx.proto.StringStringEntryProto;
import dev.graft.onnx.proto.TensorProto;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.function.IntFunction;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Models made to cost time or memory: few bytes that become many objects, names that collide. */
class HostileModelTest {

  private static final byte[] EMPTY = new byte[0];

  /** Sizes around those at which the heap of the other JVM is full. */
  private static final int[] SIZES = {100_000, 200_000, 400_000, 1_000_000, 4_000_000};

  @TempDir Path folder;

  /** What is repeated, in a graph, to fill a file. */
  private enum Bomb {
    NODES(i -> field(1, EMPTY)),
    NAMED_NODES(i -> field(1, field(2, digits(i)))),
    MAT_MULS(i ->
        field(
            1,
            field(1, digits(i / 2)),
            field(1, digits(i / 3)),
            field(2, digits(i)),
            field(4, "MatMul".getBytes(StandardCharsets.UTF_8)))),
    INITIALIZERS(i -> field(5, EMPTY)),
    NAMED_INITIALIZERS(i -> field(5, field(8, digits(i)))),
    SPARSE_INITIALIZERS(i -> field(15, field(1, EMPTY))),
    ATTRIBUTES(i -> field(1, field(5, EMPTY))),
    SUBGRAPHS(i -> field(1, field(5, field(6, EMPTY), field(11, EMPTY)))),
    SUBGRAPHS_OF_ONE_NODE(i -> field(1, field(5, repeated(field(11, EMPTY), 5000)))),
    TENSOR_LISTS(i -> field(1, field(5, repeated(field(10, EMPTY), 5000)))),
    INTEGERS(i -> field(1, field(5, field(8, new byte[50_000])))),
    DIMENSIONS(i -> field(5, field(1, repeated(new byte[] {1}, 50_000)))),
    SMALL_VALUES(i -> field(5, field(7, new byte[1000]))),
    VALUE_INFOS(i -> field(13, EMPTY)),
    INPUTS(i -> field(11, field(1, digits(i)))),
    SYMBOLIC_SHAPES(i -> field(13, field(2, field(1, field(2, repeated(field(1, EMPTY), 5000)))))),
    UNKNOWN_IN_SHAPES(i ->
        field(13, field(2, field(1, field(2, repeated(field(1, new byte[] {120, 0}), 5000)))))),
    NESTED_TYPES(i -> field(13, field(2, nested(40)))),
    ANNOTATIONS(i -> field(14, repeated(field(2, EMPTY), 5000))),
    GROUPS(i -> field(13, repeated(new byte[] {0x2b, 0x2c}, 5000))),
    EXTERNAL_ENTRIES(i -> field(5, repeated(field(13, EMPTY), 5000))),
    UNKNOWN(i -> field(99, EMPTY));

    // Every function above is one without state.
    @SuppressWarnings("ImmutableEnumChecker")
    private final IntFunction<byte[]> part;

    Bomb(IntFunction<byte[]> part) {
      this.part = part;
    }

    byte[] model(int size) {
      ByteArrayOutputStream graph = new ByteArrayOutputStream();
      for (int i = 0; graph.size() < size; i++) {
        graph.writeBytes(part.apply(i));
      }
      return field(7, graph.toByteArray());
    }
  }

  /** What the other JVM does: opens each bomb in each size and says if one went off. */
  static final class Opening {
    private Opening() {}

    public static void main(String[] args) throws IOException {
      Path file = Path.of(args[0]);
      for (Bomb bomb : Bomb.values()) {
        for (int size : SIZES) {
          Files.write(file, bomb.model(size));
          Trial trial =
              Trial.of(() -> SiteIndex.of(ModelGraph.of(OnnxModel.open(file))).sites().size());
          if (!trial.isOrderly()) {
            System.out.println(bomb + " of " + size + ": " + trial.words());
          }
        }
      }
      System.out.println("done");
    }
  }

  @Test
  void refusesWhatWouldFillASmallHeap() throws IOException, InterruptedException {
    Process process =
        new ProcessBuilder(
                List.of(
                    Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                    "-Xmx64m",
                    "-XX:+UseSerialGC",
                    "-cp",
                    System.getProperty("java.class.path"),
                    Opening.class.getName(),
                    folder.resolve("m.onnx").toString()))
            .redirectErrorStream(true)
            .start();
    process.getOutputStream().close();
    String printed = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    process.waitFor();
    assertThat(printed.strip()).isEqualTo("done");
  }

  @Test
  void readsManyValuesWithOneHash() throws IOException {
    GraphProto.Builder graph = GraphProto.newBuilder();
    for (int i = 0; i < 1 << 14; i++) {
      graph.addNode(node("Identity", Bounds.collision(i, 14), Bounds.collision(i / 2, 14)));
      graph.addOutputBuilder().setName(Bounds.collision(i, 14));
    }
    assertThat(open(ModelProto.newBuilder().setGraph(graph))).isNull();
  }

  @Test
  void readsManyFunctionsWithOneHash() throws IOException {
    ModelProto.Builder model = ModelProto.newBuilder();
    for (int i = 0; i < 1 << 14; i++) {
      String name = Bounds.collision(i, 14);
      model.addFunctionsBuilder().setName(name).setDomain("d");
      model.getGraphBuilder().addNode(node(name, "y" + i, "x").toBuilder().setDomain("d"));
    }
    assertThat(open(model)).isNull();
  }

  @Test
  void readsManyTensorsOnPlacesWithOneHash() throws IOException {
    int places = 1 << 14;
    Files.write(folder.resolve("w.bin"), new byte[places * 32]);
    ModelProto.Builder model = ModelProto.newBuilder();
    for (int i = 0; i < places; i++) {
      model.getGraphBuilder().addInitializer(place("w" + i, i, 31L * (places - i)));
    }
    assertThat(open(model)).isNull();
  }

  private static TensorProto place(String name, long offset, long length) {
    return TensorProto.newBuilder()
        .setName(name)
        .setDataType(3)
        .addDims(length)
        .setDataLocation(TensorProto.DataLocation.EXTERNAL)
        .addExternalData(entry("location", "w.bin"))
        .addExternalData(entry("offset", Long.toString(offset)))
        .addExternalData(entry("length", Long.toString(length)))
        .build();
  }

  private static StringStringEntryProto entry(String key, String value) {
    return StringStringEntryProto.newBuilder().setKey(key).setValue(value).build();
  }

  private static NodeProto node(String op, String output, String input) {
    return NodeProto.newBuilder().setOpType(op).addOutput(output).addInput(input).build();
  }

  private @Nullable Throwable open(ModelProto.Builder model) throws IOException {
    byte[] bytes =
        model
            .setIrVersion(8)
            .addOpsetImport(OperatorSetIdProto.newBuilder().setVersion(17))
            .setGraph(model.getGraph())
            .build()
            .toByteArray();
    Path file = Files.write(folder.resolve("m.onnx"), bytes);
    return Bounds.hold(
            bytes.length, () -> SiteIndex.of(ModelGraph.of(OnnxModel.open(file))).sites().size())
        .thrown();
  }

  private static byte[] digits(int number) {
    return Integer.toString(number, Character.MAX_RADIX).getBytes(StandardCharsets.UTF_8);
  }

  private static byte[] nested(int depth) {
    byte[] type = EMPTY;
    for (int i = 0; i < depth; i++) {
      type = field(4, field(1, type));
    }
    return type;
  }

  private static byte[] repeated(byte[] part, int times) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    for (int i = 0; i < times; i++) {
      out.writeBytes(part);
    }
    return out.toByteArray();
  }

  private static byte[] field(int number, byte[]... parts) {
    WireTree message = new WireTree(ModelProto.getDescriptor());
    ByteArrayOutputStream body = new ByteArrayOutputStream();
    for (byte[] part : parts) {
      body.writeBytes(part);
    }
    message.fields.add(WireTree.Field.ofBytes(number, body.toByteArray()));
    return message.toBytes();
  }
}
