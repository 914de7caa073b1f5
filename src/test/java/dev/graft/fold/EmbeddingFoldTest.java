package dev.graft.fold;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.graft.io.Progress;
import dev.graft.match.Binder;
import dev.graft.match.Miss;
import dev.graft.onnx.proto.TensorProto;
import dev.graft.tensor.DType;
import dev.graft.tensor.Shape;
import dev.graft.testing.Adapters;
import dev.graft.testing.Deltas.Matrix;
import dev.graft.testing.Folding;
import dev.graft.testing.Graphs;
import dev.graft.testing.Node;
import dev.graft.testing.Values;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** LoRA and DoRA on token tables, stored either way round. */
class EmbeddingFoldTest {

  private static final int V = 9;
  private static final int D = 5;
  private static final Values A = Values.random(11, Adapters.RANK, V);
  private static final Values B = Values.random(12, D, Adapters.RANK);
  private static final Values MAGNITUDE = Values.random(13, D);

  @TempDir Path folder;

  private static Graphs lookup(Values table) {
    return Graphs.create()
        .input(DType.INT64, "ids", 3)
        .output(table.type(), "e", 3, D)
        .weight("emb.weight", table)
        .node(Node.of("Gather", "emb.weight", "ids").to("e").named("/emb/Gather"));
  }

  private static Graphs turnedLookup(Values turned) {
    return Graphs.create()
        .input(DType.INT64, "ids", 3)
        .output(turned.type(), "e", 3, D)
        .weight("emb.weight", turned)
        .node(Node.of("Transpose", "emb.weight").to("t"))
        .node(Node.of("Gather", "t", "ids").to("e").named("/emb/Gather"));
  }

  private static Adapters adapter() {
    return Adapters.create().tensor("emb.lora_embedding_A", A).tensor("emb.lora_embedding_B", B);
  }

  private static Adapters dora() {
    return adapter().tensor("emb.lora_magnitude_vector", MAGNITUDE).config("use_dora", "true");
  }

  private static Matrix delta() {
    return Matrix.of(B).times(Matrix.of(A)).turned();
  }

  private static void assertClose(float[] found, double[] expected, double tolerance) {
    assertThat(found).hasSameSizeAs(expected);
    for (int i = 0; i < expected.length; i++) {
      assertThat((double) found[i]).as("element %d", i).isCloseTo(expected[i], within(tolerance));
    }
  }

  @Test
  void refusesAPairForATableOfAnotherSize() {
    Graphs graphs = lookup(Values.random(1, V + 1, D));

    assertThat(Folding.bind(folder, graphs, adapter()).misses())
        .singleElement()
        .satisfies(m -> {
          assertThat(m.cause()).isEqualTo(Miss.Cause.NO_FIT);
          assertThat(m.reason())
              .contains("lora_A [2, 9]", "[10, 5]", "has 10 inputs and 5 outputs");
        });
  }

  @Test
  void refusesAMagnitudeOfAnotherSize() {
    Adapters adapter =
        adapter().tensor("emb.lora_magnitude_vector", MAGNITUDE).config("use_dora", "true");
    Graphs graphs = lookup(Values.random(1, V, D + 1));

    assertThat(Folding.bind(folder, graphs, adapter).misses())
        .singleElement()
        .satisfies(m -> assertThat(m.reason()).contains("magnitude vector of shape [5]"));
  }

  @Test
  void refusesATableThatIsQuantised() {
    Graphs graphs =
        Graphs.create()
            .input(DType.INT64, "ids", 3)
            .output("e", 3, 32)
            .weight("emb.MatMul.weight_Q4", bytes(V, 16))
            .weight("s", Values.filled(1, V, 1))
            .node(
                Node.of("com.microsoft.GatherBlockQuantized", "emb.MatMul.weight_Q4", "ids", "s")
                    .to("e")
                    .named("/emb/Gather_Q4"));

    assertThat(Folding.bind(folder, graphs, adapter()).misses())
        .singleElement()
        .satisfies(m -> {
          assertThat(m.cause()).isEqualTo(Miss.Cause.QUANTISED);
          assertThat(m.reason()).contains("GatherBlockQuantized");
        });
  }

  @Test
  void refusesATableThatIsAQuantisedHeadToo() {
    Graphs graphs =
        Graphs.create()
            .input(DType.INT64, "ids", 3)
            .output("e", 3, 32)
            .weight("lm_head.MatMul.weight_Q4", bytes(V, 1, 16))
            .weight("s", Values.filled(1, V, 1))
            .weight(
                TensorProto.newBuilder()
                    .setName("shape")
                    .setDataType(DType.INT64.onnxCode())
                    .addDims(2)
                    .addInt64Data(V)
                    .addInt64Data(16)
                    .build())
            .node(Node.of("Reshape", "lm_head.MatMul.weight_Q4", "shape").to("t"))
            .node(
                Node.of("com.microsoft.GatherBlockQuantized", "t", "ids", "s")
                    .to("e")
                    .named("/emb/Gather"));

    assertThat(Folding.bind(folder, graphs, adapter()).misses())
        .singleElement()
        .satisfies(m -> assertThat(m.cause()).isEqualTo(Miss.Cause.QUANTISED));
  }

  private static Values bytes(long... dims) {
    Shape shape = Shape.of(dims);
    return new Values(DType.UINT8, shape, new float[Math.toIntExact(shape.elements())]);
  }

  @ParameterizedTest
  @EnumSource(names = {"FLOAT32", "FLOAT16", "BFLOAT16"})
  void addsTheProductTurned(DType type) {
    Values table = Values.random(2, V, D).as(type);
    double tolerance = type == DType.FLOAT32 ? 1e-6 : type == DType.FLOAT16 ? 1e-3 : 8e-3;
    double[] expected = Matrix.of(table).plus(Adapters.SCALE, delta()).values();

    Path model = lookup(table).write(folder.resolve("plain"));
    assertClose(merged(model, adapter(), 1), expected, tolerance);
    Path turned = turnedLookup(table.transposed()).write(folder.resolve("turned"));
    assertClose(
        merged(turned, adapter(), 1),
        Matrix.of(table).plus(Adapters.SCALE, delta()).turned().values(),
        tolerance);
  }

  @Test
  void foldsIntoATableThatIsFusedWithTheNormBehindIt() {
    Values table = Values.random(2, V, D);
    Path model =
        Graphs.create()
            .input(DType.INT32, "ids", 1, 3)
            .output("e", 1, 3, D)
            .output(DType.INT32, "mask", 1)
            .weight("emb.weight", table)
            .weight("positions.weight", Values.random(3, V, D))
            .weight("gamma", Values.filled(1, D))
            .weight("beta", Values.filled(0, D))
            .node(
                Node.of(
                        "com.microsoft.EmbedLayerNormalization",
                        "ids",
                        "",
                        "emb.weight",
                        "positions.weight",
                        "",
                        "gamma",
                        "beta")
                    .to("e", "mask")
                    .named("EmbedLayerNormalization_0"))
            .write(folder.resolve("fused"));

    assertClose(
        merged(model, adapter(), 1), Matrix.of(table).plus(Adapters.SCALE, delta()).values(), 1e-6);
  }

  @Test
  void bringsEveryColumnOfTheTableToItsLength() {
    Values table = Values.random(2, V, D);
    Matrix expected =
        Matrix.of(table)
            .plus(Adapters.SCALE, delta())
            .turned()
            .withLengths(MAGNITUDE.floats())
            .turned();

    Path model = lookup(table).write(folder.resolve("plain"));
    assertClose(merged(model, dora(), 1), expected.values(), 1e-6);
    Path turned = turnedLookup(table.transposed()).write(folder.resolve("turned"));
    assertClose(merged(turned, dora(), 1), expected.turned().values(), 1e-6);
  }

  @Test
  void multipliesTheDeltaWithTheUsersWeightBeforeTheNorm() {
    Values table = Values.random(2, V, D);
    Matrix expected =
        Matrix.of(table)
            .plus(-0.5 * Adapters.SCALE, delta())
            .turned()
            .withLengths(MAGNITUDE.floats())
            .turned();

    Path model = lookup(table).write(folder.resolve("plain"));

    assertClose(merged(model, dora(), -0.5), expected.values(), 1e-6);
  }

  private float[] merged(Path model, Adapters adapter, double weight) {
    MergeRequest request =
        new MergeRequest(
            model,
            adapter.write(folder.resolve("adapter")),
            weight,
            model.resolveSibling("merged.onnx"),
            Binder.Options.DERIVED,
            MergeRequest.Repeat.REFUSED);
    MergePlan plan = MergePlan.of(request);
    new Merge(plan, "graft test", Progress.NONE).run(1);
    assertThat(new FoldCheck(plan, request.output(), Progress.NONE).run().holds()).isTrue();
    return Folding.stored(request.output(), "emb.weight");
  }
}
