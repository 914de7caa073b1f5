package dev.graft.match;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.graft.error.UnsupportedException;
import dev.graft.match.TiedTables.Form;
import dev.graft.runtime.HostTensor;
import dev.graft.tensor.Shape;
import dev.graft.testing.Adapters;
import dev.graft.testing.Deltas.Matrix;
import dev.graft.testing.Folding;
import dev.graft.testing.Graphs;
import dev.graft.testing.Node;
import dev.graft.testing.Values;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** PEFT's merge writes into the weight that both halves share. */
class PeftMergeTiesTest {

  private static final Binder.Options MERGED =
      new Binder.Options(Optional.empty(), NameMap.EMPTY, Ties.PEFT_MERGE);

  @TempDir Path folder;

  private Folding fold(Form form, Adapters adapter) {
    return Folding.of(
            folder,
            TiedTables.graph(form),
            adapter,
            MERGED,
            Map.of("ids", HostTensor.ofLongs(Shape.of(TiedTables.V), 0, 1, 2, 3, 4, 5, 6)))
        .checks();
  }

  /** Both halves are the expected table. */
  private static void assertBoth(Folding folding, Matrix expected) {
    double[] table = expected.values();
    float[] e = folding.after("e");
    float[] x = folding.fed("x");
    float[] logits = folding.after("logits");
    for (int v = 0; v < TiedTables.V; v++) {
      double sum = 0;
      for (int d = 0; d < TiedTables.D; d++) {
        int i = v * TiedTables.D + d;
        assertThat((double) e[i]).as("table[%d, %d]", v, d).isCloseTo(table[i], within(1e-5));
        sum += x[d] * table[i];
      }
      assertThat((double) logits[v]).as("logits[%d]", v).isCloseTo(sum, within(1e-5));
    }
    assertThat(folding.splitBytes()).isZero();
  }

  private static Matrix table() {
    return Matrix.of(TiedTables.TABLE);
  }

  private static Matrix ofTable() {
    return Matrix.of(TiedTables.b()).times(Matrix.of(TiedTables.a())).turned();
  }

  private static Matrix ofHead(Adapters adapter) {
    Adapters.Pair pair = adapter.pair("lm_head");
    return Matrix.of(pair.b()).times(Matrix.of(pair.a()));
  }

  @Test
  void refusesTwoLengthsOfTheSameColumns() {
    Graphs graphs =
        TiedTables.graph(Form.ONE_INITIALIZER)
            .output("f", TiedTables.V, TiedTables.D)
            .node(Node.of("Gather", "t", "ids").to("f").named("/decoder/Gather"));
    Adapters adapter =
        TiedTables.embedding(Adapters.create())
            .tensor("decoder.lora_embedding_A", TiedTables.a())
            .tensor("decoder.lora_embedding_B", TiedTables.b())
            .tensor("embed_tokens.lora_magnitude_vector", Values.random(51, TiedTables.D))
            .tensor("decoder.lora_magnitude_vector", Values.random(52, TiedTables.D))
            .config("use_dora", "true");

    assertThatThrownBy(() -> Folding.of(folder, graphs, adapter, MERGED, Map.of()))
        .isInstanceOf(UnsupportedException.class)
        .hasMessageContaining("one after the other");
  }

  @ParameterizedTest
  @EnumSource(Form.class)
  void addsAPairOnTheTableToBoth(Form form) {
    Folding folding = fold(form, TiedTables.embedding(Adapters.create()));

    assertBoth(folding, table().plus(Adapters.SCALE, ofTable()));
  }

  @ParameterizedTest
  @EnumSource(Form.class)
  void addsAPairOnTheHeadToBoth(Form form) {
    Adapters adapter = Adapters.create().lora("lm_head", TiedTables.D, TiedTables.V);

    assertBoth(fold(form, adapter), table().plus(Adapters.SCALE, ofHead(adapter)));
  }

  @ParameterizedTest
  @EnumSource(Form.class)
  void addsBothPairsToBoth(Form form) {
    Adapters adapter =
        TiedTables.embedding(Adapters.create().lora("lm_head", TiedTables.D, TiedTables.V));

    assertBoth(
        fold(form, adapter),
        table().plus(Adapters.SCALE, ofTable()).plus(Adapters.SCALE, ofHead(adapter)));
  }

  @ParameterizedTest
  @EnumSource(Form.class)
  void bringsTheTablesColumnsToTheirLengthsFirstAndThenTheHeadsRows(Form form) {
    Values ofColumns = Values.random(51, TiedTables.D);
    Values ofRows = Values.random(52, TiedTables.V);
    Adapters adapter =
        TiedTables.embedding(Adapters.create().lora("lm_head", TiedTables.D, TiedTables.V))
            .tensor("embed_tokens.lora_magnitude_vector", ofColumns)
            .tensor("lm_head.lora_magnitude_vector", ofRows)
            .config("use_dora", "true");

    assertBoth(
        fold(form, adapter),
        table()
            .plus(Adapters.SCALE, ofTable())
            .turned()
            .withLengths(ofColumns.floats())
            .turned()
            .plus(Adapters.SCALE, ofHead(adapter))
            .withLengths(ofRows.floats()));
  }

  @ParameterizedTest
  @EnumSource(Form.class)
  void writesTheHeadsRowsIntoTheTableToo(Form form) {
    Folding folding = fold(form, TiedTables.rows(Adapters.create(), "lm_head"));

    float[] expected = TiedTables.TABLE.floats().clone();
    System.arraycopy(TiedTables.ROWS.floats(), 0, expected, 2 * TiedTables.D, TiedTables.D);
    System.arraycopy(
        TiedTables.ROWS.floats(), TiedTables.D, expected, 5 * TiedTables.D, TiedTables.D);
    assertBoth(
        folding,
        Matrix.of(new Values(TiedTables.TABLE.type(), TiedTables.TABLE.shape(), expected)));
  }

  @ParameterizedTest
  @EnumSource(Form.class)
  void leavesTheHeadAloneWhereTheTableIsSavedWhole(Form form) {
    Values saved = Values.random(40, TiedTables.V, TiedTables.D);
    Adapters adapter =
        Adapters.create()
            .lora("lm_head", TiedTables.D, TiedTables.V)
            .saved("embed_tokens.weight", saved);

    Folding folding = fold(form, adapter);

    folding.moves("logits", "lm_head");
    assertThat(folding.after("e")).containsExactly(saved.floats());
  }
}
