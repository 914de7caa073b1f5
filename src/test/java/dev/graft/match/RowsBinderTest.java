package dev.graft.match;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.graft.error.UnsupportedException;
import dev.graft.runtime.HostTensor;
import dev.graft.tensor.DType;
import dev.graft.tensor.Shape;
import dev.graft.testing.Adapters;
import dev.graft.testing.Folding;
import dev.graft.testing.Graphs;
import dev.graft.testing.Node;
import dev.graft.testing.Values;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Rows of token tables. */
class RowsBinderTest {

  private static final int V = 7;
  private static final int D = 4;
  private static final Values ROWS = Values.random(21, 2, D);

  @TempDir Path folder;

  private static Graphs lookup(Values table) {
    return Graphs.create()
        .input(DType.INT64, "ids", 3)
        .output(table.type(), "e", 3, D)
        .weight("emb.weight", table)
        .node(Node.of("Gather", "emb.weight", "ids").to("e").named("/emb/Gather"));
  }

  private static Adapters adapter(Values rows, String indices) {
    return Adapters.create()
        .tensor("emb.token_adapter.trainable_tokens_delta", rows)
        .config("trainable_token_indices", indices);
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
  void refusesRowsBeyondTheTableAndSaysHowToExportALargerOne() {
    refuses(
        lookup(Values.random(1, V, D)),
        adapter(ROWS, "[1, 7]"),
        Miss.Cause.NO_FIT,
        "replaces row 7, but 'emb.weight' [7, 4] has 7; the tokens were added before training: call resize_token_embeddings(8)");
  }

  @Test
  void refusesRowsOfAnotherWidth() {
    refuses(
        lookup(Values.random(1, V, D)),
        adapter(Values.random(2, 2, D + 1), "[1, 2]"),
        Miss.Cause.NO_FIT,
        "rows are 5 wide, but 'emb.weight' [7, 4] read by Gather has rows of 4");
  }

  @Test
  void refusesTablesAndRowsThatAreNotFolded() {
    refuses(
        lookup(new Values(DType.FLOAT64, Shape.of(V, D), new float[V * D])),
        adapter(ROWS, "[1, 2]"),
        Miss.Cause.UNSUPPORTED,
        "'emb.weight' has the element type FLOAT64");
    Values wide = new Values(DType.FLOAT64, Shape.of(2, D), new float[2 * D]);
    refuses(
        lookup(Values.random(1, V, D)),
        adapter(wide, "[1, 2]"),
        Miss.Cause.UNSUPPORTED,
        "the adapter's rows have the element type FLOAT64");
  }

  @Test
  void refusesAQuantisedTable() {
    Graphs graphs =
        Graphs.create()
            .input(DType.INT64, "ids", 3)
            .output("e", 3, D)
            .weight("q", new Values(DType.UINT8, Shape.of(V, D), new float[V * D]))
            .weight("s", Values.filled(1))
            .node(Node.of("DequantizeLinear", "q", "s").to("emb.weight"))
            .node(Node.of("Gather", "emb.weight", "ids").to("e").named("/emb/Gather"));

    Binding binding = Folding.bind(folder, graphs, adapter(ROWS, "[1, 2]"));

    assertThatThrownBy(binding::requireComplete)
        .isInstanceOf(UnsupportedException.class)
        .hasMessageContaining("emb: 'q' is quantised (Gather)");
  }

  @Test
  void saysWhichModulesThereAreWhereThereIsNone() {
    Adapters adapter =
        Adapters.create()
            .tensor("embed.token_adapter.trainable_tokens_delta", ROWS)
            .config("trainable_token_indices", "[1, 2]");

    assertThat(Folding.bind(folder, lookup(Values.random(1, V, D)), adapter).misses())
        .singleElement()
        .satisfies(m -> assertThat(m.nearest()).contains("emb"));
  }

  @ParameterizedTest
  @EnumSource(names = {"FLOAT32", "FLOAT16", "BFLOAT16"})
  void replacesRowsAndKeepsTheOthersBitForBit(DType type) {
    Values table = Values.random(3, V, D).as(type);

    Folding folding = Folding.of(folder, lookup(table), adapter(ROWS, "[5, 1]")).checks();

    assertThat(folding.stored("emb.weight")).containsExactly(expected(table, 5, 1).floats());
    assertThat(folding.target("emb").place().rule()).isEqualTo(NameRule.INITIALIZER);
  }

  @Test
  void replacesColumnsOfATableThatIsStoredTheOtherWayRound() {
    Values table = Values.random(3, V, D);
    Graphs graphs =
        Graphs.create()
            .input(DType.INT64, "ids", 3)
            .output("e", 3, D)
            .weight("emb.weight", table.transposed())
            .node(Node.of("Transpose", "emb.weight").to("t"))
            .node(Node.of("Gather", "t", "ids").to("e").named("/emb/Gather"));

    Folding folding =
        Folding.of(
                folder,
                graphs,
                adapter(ROWS, "[5, 1]"),
                Map.of("ids", HostTensor.ofLongs(Shape.of(3), 1, 2, 5)))
            .checks();

    Values expected = expected(table, 5, 1);
    assertThat(folding.stored("emb.weight")).containsExactly(expected.transposed().floats());
    assertThat(folding.after("e")[D]).isEqualTo(table.at(2, 0));
    assertThat(folding.after("e")[2 * D]).isEqualTo(ROWS.at(0, 0));
  }

  @Test
  void replacesRowsOfALayerOverTheVocabulary() {
    Values table = Values.random(3, V, D);
    Graphs graphs =
        Graphs.create()
            .input("x", -1, D)
            .output("logits", -1, V)
            .weight("w", table.transposed())
            .node(Node.of("MatMul", "x", "w").to("logits").named("/emb/MatMul"));

    Folding folding = Folding.of(folder, graphs, adapter(ROWS, "{\"emb\": [0, 6]}")).checks();

    assertThat(folding.stored("w")).containsExactly(expected(table, 0, 6).transposed().floats());
  }

  private static Values expected(Values table, int first, int second) {
    float[] floats = table.floats().clone();
    System.arraycopy(ROWS.floats(), 0, floats, first * D, D);
    System.arraycopy(ROWS.floats(), D, floats, second * D, D);
    return new Values(table.type(), table.shape(), floats).as(table.type());
  }
}
