package dev.graft.match;

import static org.assertj.core.api.Assertions.assertThat;

import dev.graft.match.OwnBranches.State;
import dev.graft.testing.Adapters;
import dev.graft.testing.Folding;
import dev.graft.testing.Graphs;
import dev.graft.testing.Node;
import dev.graft.testing.Values;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a model holds beside its base layers: nothing, a branch that acts, an empty slot. */
class OwnBranchesTest {

  @TempDir Path folder;

  /** What tools write that keep PEFT's wrappers, the branch of a rank. */
  private static Graphs wrapped(long rank) {
    return Graphs.create()
        .input("x", -1, 4)
        .output("y", -1, 4)
        .weight("onnx::MatMul_1", Values.random(1, 4, 4))
        .weight("fc.lora_A.weight", Values.random(2, 4, rank))
        .weight("fc.lora_B.weight", Values.random(3, rank, 4))
        .node(Node.of("MatMul", "x", "onnx::MatMul_1").to("b").named("/fc/base_layer/MatMul"))
        .node(Node.of("MatMul", "x", "fc.lora_A.weight").to("a").named("/fc/default/MatMul"))
        .node(Node.of("MatMul", "a", "fc.lora_B.weight").to("d").named("/fc/default_1/MatMul"))
        .node(Node.of("Add", "b", "d").to("y").named("/fc/Add"));
  }

  private static Graphs slots() {
    return wrapped(0)
        .input("fc.lora_A.weight", 4, -1)
        .input("fc.lora_A.weight", 4, -1)
        .input("fc.lora_B.weight", -1, 4);
  }

  private State at(Graphs graphs, String module) {
    return new OwnBranches(Folding.index(folder, graphs)).at(module);
  }

  @Test
  void refusesToFoldBesideABranchThatActs() {
    Binding binding = Folding.bind(folder, wrapped(2), Adapters.create().lora("fc", 4, 4));

    assertThat(binding.bound()).isEmpty();
    assertThat(binding.misses())
        .singleElement()
        .satisfies(m -> {
          assertThat(m.cause()).isEqualTo(Miss.Cause.UNSUPPORTED);
          assertThat(m.reason()).contains("LoRA branch of its own");
        });
  }

  @Test
  void refusesABranchWhoseFactorsHaveLostTheirNames() {
    Graphs graphs =
        Graphs.create()
            .input("x", -1, 4)
            .output("y", -1, 4)
            .weight("w", Values.random(1, 4, 4))
            .weight("onnx::MatMul_2", Values.random(2, 4, 2))
            .weight("onnx::MatMul_3", Values.random(3, 2, 4))
            .node(Node.of("MatMul", "x", "w").to("b").named("/fc/base_layer/MatMul"))
            .node(Node.of("MatMul", "x", "onnx::MatMul_2").to("a").named("/fc/default/MatMul"))
            .node(Node.of("MatMul", "a", "onnx::MatMul_3").to("d").named("/fc/default_1/MatMul"))
            .node(Node.of("Add", "b", "d").to("y").named("/fc/Add"));

    assertThat(at(graphs, "fc")).isEqualTo(State.ACTIVE);
  }

  @Test
  void takesASlotWithADefaultThatActsForABranch() {
    Graphs graphs = wrapped(2).input("fc.lora_A.weight", 4, -1).input("fc.lora_B.weight", -1, 4);

    assertThat(at(graphs, "fc")).isEqualTo(State.ACTIVE);
  }

  @Test
  void tellsAnEmptySlotFromABranch() {
    assertThat(at(wrapped(2), "fc")).isEqualTo(State.ACTIVE);
    assertThat(at(slots(), "fc")).isEqualTo(State.SLOT);
    assertThat(at(slots(), "other")).isEqualTo(State.NONE);
  }

  @Test
  void knowsASlotThatHasNoDefault() {
    Graphs graphs =
        Graphs.create()
            .input("x", -1, 4)
            .input("fc.lora_A.weight", 4, -1)
            .input("fc.lora_B.weight", -1, 4)
            .output("y", -1, 4)
            .weight("w", Values.random(1, 4, 4))
            .node(Node.of("MatMul", "x", "w").to("b").named("/fc/MatMul"))
            .node(Node.of("MatMul", "x", "fc.lora_A.weight").to("a"))
            .node(Node.of("MatMul", "a", "fc.lora_B.weight").to("d"))
            .node(Node.of("Add", "b", "d").to("y"));

    assertThat(at(graphs, "fc")).isEqualTo(State.SLOT);
  }

  @Test
  void foldsBesideEmptySlotsAndWarns() {
    Folding folding = Folding.of(folder, slots(), Adapters.create().lora("fc", 4, 4));

    folding.moves("y", "fc").checks();
    assertThat(folding.binding().warnings())
        .singleElement()
        .satisfies(w -> assertThat(w).contains("1 of the modules", "'fc'", "a second time"));
  }

  @Test
  void warnsOfNothingWhereThereAreNoSlots() {
    Graphs graphs =
        Graphs.create()
            .input("x", -1, 4)
            .output("y", -1, 4)
            .weight("w", Values.random(1, 4, 4))
            .node(Node.of("MatMul", "x", "w").to("y").named("/fc/MatMul"));

    assertThat(Folding.bind(folder, graphs, Adapters.create().lora("fc", 4, 4)).warnings())
        .isEmpty();
  }
}
