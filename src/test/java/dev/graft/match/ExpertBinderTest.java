package dev.graft.match;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.graft.tensor.DType;
import dev.graft.tensor.Shape;
import dev.graft.testing.Adapters;
import dev.graft.testing.Folding;
import dev.graft.testing.Graphs;
import dev.graft.testing.Node;
import dev.graft.testing.Values;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Pairs for parameters of experts: which weight each is for, and which way round. */
class ExpertBinderTest {

  private static final int E = 3;
  private static final int D = 4;
  private static final int H = 6;
  private static final int R = Adapters.RANK;

  @TempDir Path folder;

  private static Adapters adapter(String parameters) {
    return Adapters.create().config("target_modules", "[]").config("target_parameters", parameters);
  }

  private static Adapters pair(Adapters adapter, String module, int in, int out) {
    return adapter
        .tensor(module + ".lora_A.weight", a(module, in))
        .tensor(module + ".lora_B.weight", b(module, out));
  }

  private static Values a(String module, int in) {
    return Values.random(module.length(), (long) R * E, in);
  }

  private static Values b(String module, int out) {
    return Values.random(module.length() + 1, out, (long) R * E);
  }

  /** PEFT's einsum: {@code o r e, e r i -> e o i}, or {@code e i o} for {@code IN_OUT}. */
  private static double[] expected(Values weight, String module, Layout layout) {
    long[] dims = weight.shape().toArray();
    int out = (int) (layout == Layout.OUT_IN ? dims[1] : dims[2]);
    int in = (int) (layout == Layout.OUT_IN ? dims[2] : dims[1]);
    float[] a = a(module, in).floats();
    float[] b = b(module, out).floats();
    double[] values = new double[weight.floats().length];
    for (int e = 0; e < E; e++) {
      for (int o = 0; o < out; o++) {
        for (int i = 0; i < in; i++) {
          double sum = 0;
          for (int r = 0; r < R; r++) {
            sum += (double) b[o * R * E + r * E + e] * a[(e * R + r) * in + i];
          }
          int at = layout == Layout.OUT_IN ? (e * out + o) * in + i : (e * in + i) * out + o;
          values[at] = weight.floats()[at] + Adapters.SCALE * sum;
        }
      }
    }
    return values;
  }

  private static void assertClose(float[] found, double[] expected, double tolerance) {
    assertThat(found).hasSameSizeAs(expected);
    for (int i = 0; i < expected.length; i++) {
      assertThat((double) found[i]).as("element %d", i).isCloseTo(expected[i], within(tolerance));
    }
  }

  /** {@code y = x · w}, the weight {@code [E, in, out]}. */
  private static Graphs product(Graphs graphs, String weight, String x, String y) {
    return graphs.node(
        Node.of("MatMul", x, weight).to(y).named("/experts/MatMul_" + y).in("experts"));
  }

  private static Graphs single(Values weight, String name) {
    long[] dims = weight.shape().toArray();
    return product(
        Graphs.create().input("x", E, 2, dims[1]).output("y", E, 2, dims[2]).weight(name, weight),
        name,
        "x",
        "y");
  }

  private static Graphs upAndDown(Values up, Values down, String... names) {
    return product(
        product(
            Graphs.create()
                .input("x", E, 2, up.shape().dim(1))
                .output("y", E, 2, down.shape().dim(2))
                .weight(names[0], up)
                .weight(names[1], down),
            names[0],
            "x",
            "h"),
        names[1],
        "h",
        "y");
  }

  private void refuses(Graphs graphs, Adapters adapter, Miss.Cause cause, String reason) {
    assertThat(Folding.bind(folder, graphs, adapter).misses())
        .isNotEmpty()
        .first()
        .satisfies(m -> {
          assertThat(m.cause()).isEqualTo(cause);
          assertThat(m.reason()).contains(reason);
        });
  }

  @Test
  void refusesAnotherNumberOfExperts() {
    Values weight = Values.random(1, E + 1, D, H);

    refuses(
        single(weight, "experts.up"),
        pair(adapter("[\"experts.up\"]"), "experts", D, H),
        Miss.Cause.NO_FIT,
        "lora_A [6, 4] and lora_B [6, 6] of rank 2 for [up], but the module's weights are experts.up [4, 4, 6]");
  }

  @Test
  void refusesAModuleWithoutSuchAWeight() {
    refuses(
        single(Values.random(1, E, D, H), "other.up"),
        pair(adapter("[\"m.up\"]"), "m", D, H),
        Miss.Cause.ABSENT,
        "the file has no weight of that name");
  }

  @Test
  void refusesAWeightOfAnotherType() {
    Values weight = new Values(DType.FLOAT64, Shape.of(E, D, H), new float[E * D * H]);
    Graphs graphs =
        product(
            Graphs.create()
                .input(DType.FLOAT64, "x", E, 2, D)
                .output(DType.FLOAT64, "y", E, 2, H)
                .weight("experts.up", weight),
            "experts.up",
            "x",
            "y");

    refuses(
        graphs,
        pair(adapter("[\"experts.up\"]"), "experts", D, H),
        Miss.Cause.UNSUPPORTED,
        "element type FLOAT64");
  }

  @Test
  void refusesASquareWeightThatIsKeptInOut() {
    refuses(
        single(Values.random(1, E, D, D), "experts.up"),
        pair(adapter("[\"experts.up\"]"), "experts", D, D),
        Miss.Cause.UNSUPPORTED,
        "fit in several ways: ['experts.up' [3, 4, 4] as [out, in], 'experts.up' [3, 4, 4] as [in, out]]");
  }

  @Test
  void refusesPairsThatAreNestedAgainstTheOrderOfTheFile() {
    // The innermost pair is for what the module declares first, but fits the second weight.
    Adapters adapter =
        pair(
            pair(adapter("[\"experts.up\", \"experts.down\"]"), "experts", D, H),
            "experts.base_layer",
            H,
            D);

    refuses(
        upAndDown(
            Values.random(1, E, D, H), Values.random(2, E, H, D), "experts.up", "experts.down"),
        adapter,
        Miss.Cause.UNSUPPORTED,
        "fit in several ways");
  }

  @Test
  void refusesTwoPairsForOneWeight() {
    Adapters adapter =
        pair(
            pair(adapter("[\"experts.up\", \"experts.down\"]"), "experts", D, H),
            "experts.base_layer",
            D,
            H);

    refuses(
        single(Values.random(1, E, D, H), "experts.up"),
        adapter,
        Miss.Cause.UNSUPPORTED,
        "fit in several ways");
  }

  @Test
  void refusesAnAnonymousWeightForParametersOfDifferentStrength() {
    Adapters adapter =
        pair(adapter("[\"experts.up\", \"experts.down\"]"), "experts", D, H)
            .config("alpha_pattern", "{\"up\": 9}");

    refuses(
        single(Values.random(1, E, D, H), "onnx::MatMul_7"),
        adapter,
        Miss.Cause.UNSUPPORTED,
        "may be any of [down, up], which have different strengths");
  }

  @ParameterizedTest
  @EnumSource(names = {"FLOAT32", "FLOAT16", "BFLOAT16"})
  void addsAProductForEveryExpert(DType type) {
    Values weight = Values.random(1, E, D, H).as(type);
    Graphs graphs =
        Graphs.create()
            .input("x", E, 2, D)
            .output("y", E, 2, H)
            .weight("experts.up", weight)
            .node(Node.of("Cast", "experts.up").to("w").with("to", 1))
            .node(Node.of("MatMul", "x", "w").to("y").named("/experts/MatMul"));

    Folding folding =
        Folding.of(folder, graphs, pair(adapter("[\"experts.up\"]"), "experts", D, H)).checks();

    double tolerance = type == DType.FLOAT32 ? 1e-6 : type == DType.FLOAT16 ? 2e-3 : 2e-2;
    assertClose(
        folding.stored("experts.up"), expected(weight, "experts", Layout.IN_OUT), tolerance);
    assertThat(folding.target("experts").label()).isEqualTo("experts.up");
  }

  @ParameterizedTest
  @ValueSource(strings = {"experts.up", "onnx::MatMul_9", "val_3"})
  void followsTheShapeHoweverTheWeightIsNamed(String name) {
    Values weight = Values.random(1, E, D, H);

    Folding folding =
        Folding.of(
                folder,
                single(weight, name).foldedFrom("val_3", "['experts.up']"),
                pair(adapter("[\"experts.up\"]"), "experts", D, H))
            .checks();

    assertClose(folding.stored(name), expected(weight, "experts", Layout.IN_OUT), 1e-6);
  }

  @Test
  void takesTheShapesWordAgainstTheProducts() {
    // A module that keeps [in, out] without saying so: PEFT took the axes the other way round.
    Values weight = Values.random(1, E, D, H);

    Folding folding =
        Folding.of(
                folder,
                single(weight, "experts.up"),
                pair(adapter("[\"experts.up\"]"), "experts", H, D))
            .checks();

    assertClose(folding.stored("experts.up"), expected(weight, "experts", Layout.OUT_IN), 1e-6);
  }

  @Test
  void tellsUpFromDownByTheProductsThatReadThem() {
    Values up = Values.random(1, E, D, H);
    Values down = Values.random(2, E, H, D);
    Adapters adapter =
        pair(
            pair(adapter("[\"experts.up\", \"experts.down\"]"), "experts", H, D),
            "experts.base_layer",
            D,
            H);

    Folding folding =
        Folding.of(folder, upAndDown(up, down, "onnx::MatMul_1", "onnx::MatMul_2"), adapter)
            .checks();

    assertClose(
        folding.stored("onnx::MatMul_1"), expected(up, "experts.base_layer", Layout.IN_OUT), 1e-6);
    assertClose(folding.stored("onnx::MatMul_2"), expected(down, "experts", Layout.IN_OUT), 1e-6);
  }

  @Test
  void learnsFromAnotherPairHowASquareWeightIsMeant() {
    Values up = Values.random(1, E, D, H);
    Values down = Values.random(2, E, H, H);
    Adapters adapter =
        pair(
            pair(adapter("[\"experts.up\", \"experts.down\"]"), "experts", H, H),
            "experts.base_layer",
            D,
            H);

    Folding truthful =
        Folding.of(folder.resolve("1"), upAndDown(up, down, "experts.up", "experts.down"), adapter);
    assertClose(truthful.stored("experts.down"), expected(down, "experts", Layout.IN_OUT), 1e-6);

    Adapters swapped =
        pair(
            pair(adapter("[\"experts.up\", \"experts.down\"]"), "experts", H, H),
            "experts.base_layer",
            H,
            D);
    Folding other =
        Folding.of(folder.resolve("2"), upAndDown(up, down, "experts.up", "experts.down"), swapped);
    assertClose(other.stored("experts.down"), expected(down, "experts", Layout.OUT_IN), 1e-6);
  }

  @Test
  void takesASquareWeightAsItIsReadThroughATranspose() {
    Values weight = Values.random(1, E, D, D);
    Graphs graphs =
        Graphs.create()
            .input("x", E, 2, D)
            .output("y", E, 2, D)
            .weight("experts.up", weight)
            .node(Node.of("Transpose", "experts.up").to("t").with("perm", List.of(0L, 2L, 1L)))
            .node(Node.of("MatMul", "x", "t").to("y").named("/experts/MatMul"));

    Folding folding =
        Folding.of(folder, graphs, pair(adapter("[\"experts.up\"]"), "experts", D, D)).checks();

    assertClose(folding.stored("experts.up"), expected(weight, "experts", Layout.OUT_IN), 1e-6);
  }

  @Test
  void foldsAMatrixThatWasTargetedAsAParameter() {
    Values weight = Values.random(1, H, D);
    Values a = Values.random(2, R, D);
    Values b = Values.random(3, H, R);
    Graphs graphs =
        Graphs.create()
            .input("x", 2, D)
            .output("y", 2, H)
            .weight("router.weight", weight)
            .node(
                Node.of("Gemm", "x", "router.weight")
                    .to("y")
                    .named("/router/Gemm")
                    .with("transB", 1));
    Adapters adapter =
        adapter("[\"router.weight\"]")
            .tensor("router.lora_A.weight", a)
            .tensor("router.lora_B.weight", b);

    Folding folding = Folding.of(folder, graphs, adapter).checks();

    double[] expected = new double[H * D];
    for (int o = 0; o < H; o++) {
      for (int i = 0; i < D; i++) {
        double sum = 0;
        for (int r = 0; r < R; r++) {
          sum += (double) b.at(o, r) * a.at(r, i);
        }
        expected[o * D + i] = weight.at(o, i) + Adapters.SCALE * sum;
      }
    }
    assertClose(folding.stored("router.weight"), expected, 1e-6);
  }

  @Test
  void givesAModuleItsOwnWeightWhereAnotherReadsItToo() {
    Values weight = Values.random(1, E, D, H);
    Graphs graphs =
        single(weight, "experts.up")
            .output("z", E, 2, H)
            .node(Node.of("MatMul", "x", "experts.up").to("z").named("/other/MatMul").in("other"));

    Folding folding =
        Folding.of(folder, graphs, pair(adapter("[\"experts.up\"]"), "experts", D, H)).checks();

    folding.keeps("z");
    assertThat(folding.after("y")).isNotEqualTo(folding.before("y"));
    assertThat(folding.splitBytes()).isEqualTo(4L * E * D * H);
  }
}
