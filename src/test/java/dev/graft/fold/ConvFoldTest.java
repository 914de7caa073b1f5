package dev.graft.fold;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.graft.match.Miss;
import dev.graft.testing.Adapters;
import dev.graft.testing.Deltas.Matrix;
import dev.graft.testing.Folding;
import dev.graft.testing.Graphs;
import dev.graft.testing.Node;
import dev.graft.testing.Values;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** LoRA and DoRA on convolutions of any kernel. */
class ConvFoldTest {

  private static final int IN = 3;
  private static final int OUT = 4;
  private static final int SIDE = 6;

  @TempDir Path folder;

  static Stream<List<Long>> kernels() {
    return Stream.of(
        List.of(5L),
        List.of(1L),
        List.of(3L, 3L),
        List.of(2L, 3L),
        List.of(1L, 1L),
        List.of(2L, 1L, 3L));
  }

  private static long[] with(long first, long second, List<Long> kernel) {
    return Stream.concat(Stream.of(first, second), kernel.stream())
        .mapToLong(Long::longValue)
        .toArray();
  }

  private static Graphs convolution(Values weight, List<Long> kernel, long group) {
    long[] side = new long[kernel.size()];
    Arrays.fill(side, SIDE);
    long[] input = with(1, weight.shape().dim(1) * group, Arrays.stream(side).boxed().toList());
    long[] output = with(1, OUT, kernel.stream().map(k -> SIDE - k + 1).toList());
    return Graphs.create()
        .input("x", input)
        .output("y", output)
        .weight("conv.weight", weight)
        .node(Node.of("Conv", "x", "conv.weight").to("y").named("/conv/Conv").with("group", group));
  }

  private static Adapters adapter(Values a, Values b) {
    return Adapters.create().tensor("conv.lora_A.weight", a).tensor("conv.lora_B.weight", b);
  }

  private static Values b(int kernelRank) {
    long[] dims = new long[2 + kernelRank];
    Arrays.fill(dims, 1);
    dims[0] = OUT;
    dims[1] = Adapters.RANK;
    return Values.random(12, dims);
  }

  private void refuses(Graphs graphs, Adapters adapter, Miss.Cause cause, String reason) {
    assertThat(Folding.bind(folder, graphs, adapter).misses())
        .singleElement()
        .satisfies(m -> {
          assertThat(m.cause()).isEqualTo(cause);
          assertThat(m.reason()).contains(reason);
        });
  }

  @Test
  void refusesGroups() {
    List<Long> kernel = List.of(3L, 3L);
    Graphs graphs = convolution(Values.random(1, with(OUT, IN, kernel)), kernel, 2);
    Adapters adapter = adapter(Values.random(2, with(Adapters.RANK, IN, kernel)), b(2));

    refuses(graphs, adapter, Miss.Cause.UNSUPPORTED, "a convolution in 2 groups");
  }

  @Test
  void refusesAKernelWithOtherSides() {
    List<Long> kernel = List.of(2L, 3L);
    Graphs graphs = convolution(Values.random(1, with(OUT, IN, kernel)), kernel, 1);
    Adapters adapter = adapter(Values.random(2, with(Adapters.RANK, IN, List.of(3L, 2L))), b(2));

    refuses(graphs, adapter, Miss.Cause.NO_FIT, "3 (each a kernel of [2, 3]) inputs and 4 outputs");
  }

  @Test
  void refusesAMatrixForAKernelWithAsManyValues() {
    List<Long> kernel = List.of(2L, 3L);
    Graphs graphs = convolution(Values.random(1, with(OUT, IN, kernel)), kernel, 1);
    Adapters adapter =
        adapter(Values.random(2, Adapters.RANK, IN * 6), Values.random(3, OUT, Adapters.RANK));

    refuses(graphs, adapter, Miss.Cause.NO_FIT, "lora_A [2, 18]");
  }

  @Test
  void refusesAKernelForAMatrixWithAsManyInputs() {
    Graphs graphs =
        Graphs.create()
            .input("x", -1, IN * 6)
            .output("y", -1, OUT)
            .weight("w", Values.random(1, IN * 6, OUT))
            .node(Node.of("MatMul", "x", "w").to("y").named("/conv/MatMul"));
    Adapters adapter = adapter(Values.random(2, with(Adapters.RANK, IN, List.of(2L, 3L))), b(2));

    refuses(graphs, adapter, Miss.Cause.NO_FIT, "has 18 inputs and 4 outputs");
  }

  @ParameterizedTest
  @MethodSource("kernels")
  void addsTheProductToTheKernel(List<Long> kernel) {
    Values weight = Values.random(1, with(OUT, IN, kernel));
    Values a = Values.random(2, with(Adapters.RANK, IN, kernel));
    Values b = b(kernel.size());
    double[] expected =
        Matrix.of(weight).plus(Adapters.SCALE, Matrix.of(b).times(Matrix.of(a))).values();

    Folding folding = Folding.of(folder, convolution(weight, kernel, 1), adapter(a, b)).checks();

    assertClose(folding.stored("conv.weight"), expected);
    assertThat(folding.after("y")).isNotEqualTo(folding.before("y"));
  }

  @ParameterizedTest
  @MethodSource("kernels")
  void bringsEveryOutputChannelToItsLength(List<Long> kernel) {
    Values weight = Values.random(1, with(OUT, IN, kernel));
    Values a = Values.random(2, with(Adapters.RANK, IN, kernel));
    Values b = b(kernel.size());
    long[] one = new long[2 + kernel.size()];
    Arrays.fill(one, 1);
    one[1] = OUT;
    Values magnitude = Values.random(4, one);
    Adapters adapter =
        adapter(a, b).tensor("conv.lora_magnitude_vector", magnitude).config("use_dora", "true");
    double[] expected =
        Matrix.of(weight)
            .plus(Adapters.SCALE, Matrix.of(b).times(Matrix.of(a)))
            .withLengths(magnitude.floats())
            .values();

    Folding folding = Folding.of(folder, convolution(weight, kernel, 1), adapter).checks();

    assertClose(folding.stored("conv.weight"), expected);
  }

  @Test
  void foldsAPointwiseConvolutionThatBecameAMatMul() {
    Values weight = Values.random(1, IN, OUT);
    Values a = Values.random(2, Adapters.RANK, IN, 1, 1);
    Graphs graphs =
        Graphs.create()
            .input("x", -1, IN)
            .output("y", -1, OUT)
            .weight("w", weight)
            .node(Node.of("MatMul", "x", "w").to("y").named("/conv/MatMul"));

    Folding folding = Folding.of(folder, graphs, adapter(a, b(2))).checks();

    assertClose(
        folding.stored("w"),
        Matrix.of(weight)
            .plus(Adapters.SCALE, Matrix.of(b(2)).times(Matrix.of(a)).turned())
            .values());
  }

  @Test
  void foldsALinearLayerThatBecameAConvolution() {
    List<Long> point = List.of(1L, 1L);
    Values weight = Values.random(1, with(OUT, IN, point));
    Values a = Values.random(2, Adapters.RANK, IN);
    Values b = Values.random(3, OUT, Adapters.RANK);

    Folding folding = Folding.of(folder, convolution(weight, point, 1), adapter(a, b)).checks();

    assertClose(
        folding.stored("conv.weight"),
        Matrix.of(weight).plus(Adapters.SCALE, Matrix.of(b).times(Matrix.of(a))).values());
  }

  private static void assertClose(float[] found, double[] expected) {
    assertThat(found).hasSameSizeAs(expected);
    for (int i = 0; i < expected.length; i++) {
      assertThat((double) found[i]).as("element %d", i).isCloseTo(expected[i], within(1e-6));
    }
  }
}
