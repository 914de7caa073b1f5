package dev.graft.match;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.graft.tensor.Shape;
import dev.graft.testing.Adapters;
import dev.graft.testing.Folding;
import dev.graft.testing.Graphs;
import dev.graft.testing.Node;
import dev.graft.testing.Values;
import java.nio.file.Path;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Modules that the adapter knows as one and the file as several. */
class PackFinderTest {

  private static final int IN = 5;
  private static final Values GATE = Values.random(1, IN, 3);
  private static final Values UP = Values.random(2, IN, 3);

  @TempDir Path folder;

  private static Graphs linear(String... modules) {
    Graphs graphs = Graphs.create().input("x", -1, IN);
    for (String module : modules) {
      graphs
          .output(module, -1, 3)
          .weight(module + ".w", module.contains("up") ? UP : GATE)
          .node(
              Node.of("MatMul", "x", module + ".w").to(module).named("/mlp/" + module + "/MatMul"));
    }
    return graphs;
  }

  /** One product of both halves, its outputs next to each other in {@code y}. */
  private static Graphs packed() {
    float[] both = new float[IN * 6];
    for (int i = 0; i < both.length; i++) {
      both[i] = i % 6 < 3 ? GATE.at(i / 6, i % 6) : UP.at(i / 6, i % 6 - 3);
    }
    return Graphs.create()
        .input("x", -1, IN)
        .output("y", -1, 6)
        .weight("w", new Values(GATE.type(), Shape.of(IN, 6), both))
        .node(Node.of("MatMul", "x", "w").to("y").named("/mlp/gate_up_proj/MatMul"));
  }

  private static Adapters adapter(int outputs) {
    return Adapters.create().lora("mlp.gate_up_proj", IN, outputs);
  }

  private Miss onlyMiss(Graphs graphs, Adapters adapter) {
    Binding binding = Folding.bind(folder, graphs, adapter);
    assertThat(binding.bound()).isEmpty();
    assertThat(binding.misses()).hasSize(1);
    return binding.misses().getFirst();
  }

  @Test
  void refusesPartsThatDoNotAddUp() {
    Miss miss = onlyMiss(linear("gate_proj", "up_proj"), adapter(8));

    assertThat(miss.cause()).isEqualTo(Miss.Cause.NO_FIT);
    assertThat(miss.reason()).contains("gives it 8 outputs", "[3, 3], 6 together");
  }

  @Test
  void refusesAFileThatHasOnePartOnly() {
    assertThat(onlyMiss(linear("gate_proj"), adapter(6)).reason())
        .contains("not 'mlp.up_proj'", "no weight of the name mlp.up_proj");
  }

  @Test
  void refusesPartsWithOtherInputs() {
    Graphs graphs =
        linear("gate_proj")
            .input("z", -1, 4)
            .output("up_proj", -1, 3)
            .weight("u", Values.random(3, 4, 3))
            .node(Node.of("MatMul", "z", "u").to("up_proj").named("/mlp/up_proj/MatMul"));

    assertThat(onlyMiss(graphs, adapter(6)).reason()).contains("4 inputs and 3 outputs");
  }

  @Test
  void neverSplitsWhatLiesHeadByHead() {
    Graphs graphs =
        Graphs.create()
            .input("x", -1, IN)
            .weight("q", GATE)
            .node(Node.of("MatMul", "x", "q").to("a").named("/attn/query/MatMul"))
            .node(Node.of("MatMul", "x", "q").to("b").named("/attn/key/MatMul"))
            .node(Node.of("MatMul", "x", "q").to("c").named("/attn/value/MatMul"));

    Miss miss = onlyMiss(graphs, Adapters.create().lora("attn.query_key_value", IN, 9));

    assertThat(miss.cause()).isEqualTo(Miss.Cause.ABSENT);
  }

  @Test
  void saysWhichPartsItLookedFor() {
    assertThat(onlyMiss(linear("fc"), adapter(6)).reason())
        .contains("nor its parts (gate_proj, up_proj)");
  }

  @Test
  void namesAQuantisedPart() {
    Graphs graphs =
        linear("up_proj")
            .weight("mlp.gate_proj.MatMul.weight_Q4", Values.random(1, 3, 1, 16))
            .weight("s", Values.random(2, 3))
            .node(
                Node.of("com.microsoft.MatMulNBits", "x", "mlp.gate_proj.MatMul.weight_Q4", "s")
                    .to("gate_proj"));

    assertThat(onlyMiss(graphs, adapter(6)).cause()).isEqualTo(Miss.Cause.QUANTISED);
  }

  private void sees(Folding split, Folding whole) {
    for (int row = 0; row < 3; row++) {
      float[] both = Arrays.copyOfRange(whole.after("y"), row * 6, row * 6 + 6);
      float[] gate = Arrays.copyOfRange(split.after("gate_proj"), row * 3, row * 3 + 3);
      float[] up = Arrays.copyOfRange(split.after("up_proj"), row * 3, row * 3 + 3);
      assertThat(gate).containsExactly(Arrays.copyOf(both, 3), within(1e-6f));
      assertThat(up).containsExactly(Arrays.copyOfRange(both, 3, 6), within(1e-6f));
    }
    assertThat(split.after("up_proj")).isNotEqualTo(split.before("up_proj"));
  }

  private void seesTheSame(Adapters adapter) {
    Folding split =
        Folding.of(folder.resolve("split"), linear("gate_proj", "up_proj"), adapter).checks();

    sees(split, Folding.of(folder.resolve("packed"), packed(), adapter));
  }

  @Test
  void givesEachPartItsRowsOfB() {
    Adapters adapter = adapter(6);

    Folding split =
        Folding.of(folder.resolve("split"), linear("gate_proj", "up_proj"), adapter).checks();

    sees(
        split,
        Folding.of(folder.resolve("packed"), packed(), adapter).moves("y", "mlp.gate_up_proj"));
    assertThat(split.binding().boundTargets()).isEqualTo(1);
    assertThat(split.binding().bound())
        .extracting(b -> ((BoundTarget.Lora) b).pairOutputs())
        .containsExactly(new OutputRange(0, 3), new OutputRange(3, 3));
    assertThat(split.target("mlp.gate_up_proj").place().rule()).isEqualTo(NameRule.SPLIT);
  }

  @Test
  void givesEachPartItsMagnitudes() {
    seesTheSame(
        adapter(6)
            .tensor("mlp.gate_up_proj.lora_magnitude_vector", Values.random(7, 6))
            .config("use_dora", "true"));
  }

  @Test
  void replacesEachPartByItsRows() {
    seesTheSame(Adapters.create().saved("mlp.gate_up_proj.weight", Values.random(8, 6, IN)));
  }

  @Test
  void takesAPackOfAnotherName() {
    Graphs graphs =
        Graphs.create()
            .input("x", -1, IN)
            .output("y", -1, 9)
            .weight("w", Values.random(1, IN, 9))
            .node(Node.of("MatMul", "x", "w").to("y").named("/attn/qkv_proj/MatMul"));

    Folding.of(folder, graphs, Adapters.create().lora("attn.c_attn", IN, 9))
        .moves("y", "attn.c_attn")
        .checks();
  }
}
