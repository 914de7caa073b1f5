package dev.graft.match;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.graft.testing.Adapters;
import dev.graft.testing.Folding;
import dev.graft.testing.Graphs;
import dev.graft.testing.Node;
import dev.graft.testing.Values;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Scales and shifts of norms that the exporter kept under another norm's name, or not at all. */
class NormTest {

  private static final Values ONES = Values.filled(1, 4);
  private static final Values SCALE = Values.random(2, 4);
  private static final Values SHIFT = Values.random(3, 4);

  @TempDir Path folder;

  private static Graphs graph() {
    return Graphs.create().input("x", 1, 3, 4).output("y", 1, 3, 4);
  }

  private static Adapters saved(String leaf, Values values) {
    return Adapters.create().saved("b.norm." + leaf, values);
  }

  private Miss miss(Graphs graphs, Adapters adapter) {
    Binding binding = Folding.bind(folder, graphs, adapter);
    assertThat(binding.misses()).hasSize(1);
    return binding.misses().getFirst();
  }

  /** A root-mean-square norm as TorchScript spells it out. */
  private static Graphs spelledOut(String scale) {
    return graph()
        .weight(scale, ONES)
        .weight("two", Values.filled(2))
        .node(Node.of("Pow", "x", "two").to("s").named("/b/norm/Pow"))
        .node(
            Node.of("ReduceMean", "s")
                .to("m")
                .named("/b/norm/ReduceMean")
                .with("axes", List.of(-1L)))
        .node(Node.of("Sqrt", "m").to("r").named("/b/norm/Sqrt"))
        .node(Node.of("Div", "x", "r").to("n").named("/b/norm/Div"))
        .node(Node.of("Mul", scale, "n").to("y").named("/b/norm/Mul"));
  }

  @Test
  void refusesAConstantThatMayBeOnePlusTheWeight() {
    Miss miss = miss(spelledOut("add_6"), saved("weight", SCALE));

    assertThat(miss.cause()).isEqualTo(Miss.Cause.UNSUPPORTED);
    assertThat(miss.reason()).contains("'add_6'", "1 + weight", "Gemma");
  }

  @Test
  void refusesAShiftThatTheOperatorCannotHave() {
    Graphs graphs =
        graph()
            .weight("a.norm.weight", ONES)
            .node(
                Node.of("SimplifiedLayerNormalization", "x", "a.norm.weight")
                    .to("y")
                    .named("/b/norm/Op"));

    assertThat(miss(graphs, saved("bias", SHIFT)).reason()).contains("has no shift");
  }

  @Test
  void refusesAScaleOfAnotherLength() {
    Graphs graphs =
        graph()
            .weight("a.norm.weight", ONES)
            .node(Node.of("LayerNormalization", "x", "a.norm.weight").to("y").named("/b/norm/Op"));

    Miss miss = miss(graphs, saved("weight", Values.random(2, 5)));
    assertThat(miss.reason()).contains("from 4 to 5", "LayerNormalization");
  }

  @Test
  void refusesAScaleThatIsComputed() {
    Graphs graphs =
        graph()
            .input("g", 4)
            .node(Node.of("LayerNormalization", "x", "g").to("y").named("/b/norm/Op"));

    assertThat(miss(graphs, saved("weight", SCALE)).reason()).contains("reads no stored weight");
  }

  @Test
  void givesANormItsOwnScaleWhereEqualOnesWereMerged() {
    Graphs graphs =
        graph()
            .output("z", 1, 3, 4)
            .weight("a.norm.weight", ONES)
            .node(Node.of("LayerNormalization", "x", "a.norm.weight").to("z").named("/a/norm/Op"))
            .node(Node.of("LayerNormalization", "x", "a.norm.weight").to("y").named("/b/norm/Op"));
    Folding folding = Folding.of(folder, graphs, saved("weight", SCALE));

    folding.keeps("z").checks();
    for (int i = 0; i < 12; i++) {
      assertThat(folding.after("y")[i])
          .isCloseTo(folding.before("y")[i] * SCALE.floats()[i % 4], within(1e-5f));
    }
    assertThat(folding.target("b.norm.weight").place().rule()).isEqualTo(NameRule.NORM_OF_MODULE);
  }

  @Test
  void tellsAParameterOfAnotherModuleFromAComputedConstant() {
    Folding folding = Folding.of(folder, spelledOut("a.norm.weight"), saved("weight", SCALE));

    for (int i = 0; i < 12; i++) {
      assertThat(folding.after("y")[i])
          .isCloseTo(folding.before("y")[i] * SCALE.floats()[i % 4], within(1e-5f));
    }
    folding.checks();
  }

  @Test
  void givesANormWithoutAShiftOne() {
    Graphs graphs =
        graph()
            .weight("b.norm.weight", ONES)
            .node(Node.of("LayerNormalization", "x", "b.norm.weight").to("y").named("/b/norm/Op"));
    Folding folding = Folding.of(folder, graphs, saved("bias", SHIFT));

    shifts(folding);
    assertThat(folding.graphChanges()).containsExactly("tensor b.norm.bias", "input /b/norm/Op");
  }

  @Test
  void putsTheShiftBehindTheScaleOfANormThatIsSpelledOut() {
    Folding folding = Folding.of(folder, spelledOut("b.norm.weight"), saved("bias", SHIFT));

    shifts(folding);
    assertThat(folding.operators()).endsWith("Mul", "Add");
  }

  @Test
  void findsTheShiftOfANormThatIsSpelledOut() {
    Graphs graphs =
        graph()
            .weight("b.norm.weight", ONES)
            .weight("a.norm.bias", Values.filled(0, 4))
            .node(
                Node.of("ReduceMean", "x")
                    .to("m")
                    .named("/b/norm/ReduceMean")
                    .with("axes", List.of(-1L)))
            .node(Node.of("Sub", "x", "m").to("n").named("/b/norm/Sub"))
            .node(Node.of("Mul", "n", "b.norm.weight").to("k").named("/b/norm/Mul"))
            .node(Node.of("Add", "k", "a.norm.bias").to("y").named("/b/norm/Add"));
    Folding folding = Folding.of(folder, graphs, saved("bias", SHIFT));

    shifts(folding);
    assertThat(folding.graphChanges()).isEmpty();
  }

  private static void shifts(Folding folding) {
    for (int i = 0; i < 12; i++) {
      assertThat(folding.after("y")[i])
          .isCloseTo(folding.before("y")[i] + SHIFT.floats()[i % 4], within(1e-5f));
    }
    folding.checks();
  }
}
