package dev.graft.match;

import static org.assertj.core.api.Assertions.assertThat;

import dev.graft.match.TiedTables.Form;
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

/** Ties as PEFT keeps them while an adapter is active. */
class ActiveTiesTest {

  private static final String ENSURED = "ensure_weight_tying";

  @TempDir Path folder;

  private Folding fold(Form form, Adapters adapter) {
    return Folding.of(folder, TiedTables.graph(form), adapter, ids()).checks();
  }

  private static Map<String, HostTensor> ids() {
    return Map.of("ids", HostTensor.ofLongs(Shape.of(TiedTables.V), 0, 1, 2, 3, 4, 5, 6));
  }

  /** What the head's weight is, seen as {@code [V, D]}, by its answers. */
  private static float[] head(Folding folding) {
    float[] x = folding.fed("x");
    float[] logits = folding.after("logits");
    double[] weight = new double[TiedTables.V];
    for (int v = 0; v < TiedTables.V; v++) {
      weight[v] = logits[v];
    }
    float[] first = new float[TiedTables.V];
    for (int v = 0; v < TiedTables.V; v++) {
      double sum = 0;
      for (int d = 0; d < TiedTables.D; d++) {
        sum += x[d] * folding.after("e")[v * TiedTables.D + d];
      }
      first[v] = (float) (weight[v] - sum);
    }
    return first;
  }

  private static void assertHeadIsTable(Folding folding) {
    for (float difference : head(folding)) {
      assertThat(Math.abs(difference)).isLessThan(1e-5f);
    }
  }

  @ParameterizedTest
  @EnumSource(Form.class)
  void splitsTheTieForAPairOnTheTable(Form form) {
    Folding folding = fold(form, TiedTables.embedding(Adapters.create()));

    folding.keeps("logits");
    assertThat(folding.after("e")).isNotEqualTo(folding.before("e"));
    assertThat(folding.splitBytes() == 0).isEqualTo(form.isApart());
  }

  @ParameterizedTest
  @EnumSource(Form.class)
  void splitsTheTieForAPairOnTheHead(Form form) {
    Folding folding = fold(form, Adapters.create().lora("lm_head", TiedTables.D, TiedTables.V));

    folding.keeps("e").moves("logits", "lm_head");
  }

  @ParameterizedTest
  @EnumSource(Form.class)
  void givesEachHalfItsOwnWhereTheAdapterSpeaksOfBoth(Form form) {
    Adapters adapter =
        TiedTables.embedding(
            Adapters.create().lora("lm_head", TiedTables.D, TiedTables.V).config(ENSURED, "true"));

    Folding folding = fold(form, adapter);

    folding.moves("logits", "lm_head");
    assertThat(folding.after("e")).isNotEqualTo(folding.before("e"));
    assertThat(folding.binding().bound()).hasSize(2);
  }

  @ParameterizedTest
  @EnumSource(Form.class)
  void changesBothHalvesWhereTheAdapterAsksForItAndSpeaksOfOne(Form form) {
    Folding folding = fold(form, TiedTables.embedding(Adapters.create().config(ENSURED, "true")));

    assertThat(folding.after("logits")).isNotEqualTo(folding.before("logits"));
    assertHeadIsTable(folding);
    assertThat(folding.splitBytes()).isZero();
    assertThat(folding.binding().bound()).hasSize(form.isApart() ? 2 : 1);
  }

  @Test
  void doesNotTieWhatPeftDoesNotKnowByItsName() {
    Graphs graphs =
        Graphs.create()
            .input(DType.INT64, "ids", TiedTables.V)
            .input("x", -1, TiedTables.D)
            .output("e", TiedTables.V, TiedTables.D)
            .output("logits", -1, TiedTables.V)
            .weight("wte.weight", TiedTables.TABLE)
            .node(Node.of("Gather", "wte.weight", "ids").to("e").named("/wte/Gather"))
            .node(
                Node.of("Gemm", "x", "wte.weight")
                    .to("logits")
                    .named("/lm_head/Gemm")
                    .with("transB", 1));
    Adapters adapter =
        Adapters.create()
            .config(ENSURED, "true")
            .tensor("wte.lora_embedding_A", TiedTables.a())
            .tensor("wte.lora_embedding_B", TiedTables.b());

    Folding.of(folder, graphs, adapter, ids()).keeps("logits").checks();
  }

  @ParameterizedTest
  @EnumSource(Form.class)
  void replacesRowsInBothHalves(Form form) {
    Folding folding = fold(form, TiedTables.rows(Adapters.create(), "embed_tokens"));

    assertThat(folding.after("e")[2 * TiedTables.D]).isEqualTo(TiedTables.ROWS.at(0, 0));
    assertHeadIsTable(folding);
    assertThat(folding.splitBytes()).isZero();
  }

  @ParameterizedTest
  @EnumSource(Form.class)
  void replacesRowsOfTheHeadAlone(Form form) {
    Folding folding = fold(form, TiedTables.rows(Adapters.create(), "lm_head"));

    folding.keeps("e");
    assertThat(folding.after("logits")).isNotEqualTo(folding.before("logits"));
  }

  @ParameterizedTest
  @EnumSource(Form.class)
  void givesEachHalfItsOwnRows(Form form) {
    Values others = Values.random(8, 1, TiedTables.D);
    Adapters adapter =
        TiedTables.rows(Adapters.create(), "embed_tokens")
            .tensor("lm_head.token_adapter.trainable_tokens_delta", others)
            .config("trainable_token_indices", "{\"embed_tokens\": [2, 5], \"lm_head\": [3]}");

    Folding folding = fold(form, adapter);

    float[] head = head(folding);
    for (int v = 0; v < TiedTables.V; v++) {
      boolean differs = v == 2 || v == 5 || v == 3;
      assertThat(Math.abs(head[v]) > 1e-5).as("row %d", v).isEqualTo(differs);
    }
  }

  @Test
  void refusesRowsTiedToWhatTheAdapterChangesInAnotherWay() {
    Adapters adapter =
        TiedTables.rows(
            Adapters.create().lora("lm_head", TiedTables.D, TiedTables.V), "embed_tokens");

    assertThat(Folding.bind(folder, TiedTables.graph(Form.APART), adapter).misses())
        .singleElement()
        .satisfies(m -> assertThat(m.reason()).contains("its table is tied to 'lm_head'"));
  }

  @Test
  void refusesToChooseBetweenTwoHeads() {
    Graphs graphs =
        TiedTables.graph(Form.APART)
            .output("more", -1, TiedTables.V)
            .weight("h2", TiedTables.TABLE)
            .node(Node.of("Gemm", "x", "h2").to("more").named("/other/Gemm").with("transB", 1));

    Binding binding =
        Folding.bind(folder, graphs, TiedTables.rows(Adapters.create(), "embed_tokens"));

    assertThat(binding.misses())
        .singleElement()
        .satisfies(m -> {
          assertThat(m.cause()).isEqualTo(Miss.Cause.UNSUPPORTED);
          assertThat(m.reason())
              .contains("other half of its tie is in doubt", "/lm_head/MatMul", "/other/Gemm");
        });
  }

  @Test
  void refusesAHeadThatScalesItsProduct() {
    Graphs graphs =
        Graphs.create()
            .input(DType.INT64, "ids", TiedTables.V)
            .input("x", -1, TiedTables.D)
            .output("e", TiedTables.V, TiedTables.D)
            .output("logits", -1, TiedTables.V)
            .weight("t", TiedTables.TABLE)
            .node(Node.of("Gather", "t", "ids").to("e").named("/embed_tokens/Gather"))
            .node(
                Node.of("Gemm", "x", "t")
                    .to("logits")
                    .named("/lm_head/Gemm")
                    .with("transB", 1)
                    .with("alpha", 0.5f));

    assertThat(
            Folding.bind(folder, graphs, TiedTables.rows(Adapters.create(), "embed_tokens"))
                .misses())
        .singleElement()
        .satisfies(m -> assertThat(m.reason()).contains("which multiplies it by 0.5"));
  }

  @Test
  void refusesRowsWhereTheHeadIsQuantised() {
    Graphs graphs =
        Graphs.create()
            .input(DType.INT64, "ids", TiedTables.V)
            .input("x", -1, TiedTables.D)
            .output("e", TiedTables.V, TiedTables.D)
            .output("logits", -1, TiedTables.V)
            .weight("t", TiedTables.TABLE)
            .weight("q", new Values(DType.UINT8, Shape.of(TiedTables.V, 1, 16), new float[112]))
            .weight("s", Values.filled(1, TiedTables.V, 1))
            .node(Node.of("Gather", "t", "ids").to("e").named("/embed_tokens/Gather"))
            .node(
                Node.of("com.microsoft.MatMulNBits", "x", "q", "s")
                    .to("logits")
                    .named("/lm_head/MatMul_Q4")
                    .with("N", TiedTables.V)
                    .with("K", TiedTables.D));

    assertThat(
            Folding.bind(folder, graphs, TiedTables.rows(Adapters.create(), "embed_tokens"))
                .misses())
        .singleElement()
        .satisfies(m -> {
          assertThat(m.cause()).isEqualTo(Miss.Cause.QUANTISED);
          assertThat(m.reason()).contains("whether the two are tied");
        });
  }

  @Test
  void leavesAHeadWithOtherValuesAlone() {
    Values other = Values.random(5, TiedTables.V, TiedTables.D);
    other.floats()[17] += 1;
    Graphs graphs =
        Graphs.create()
            .input(DType.INT64, "ids", TiedTables.V)
            .input("x", -1, TiedTables.D)
            .output("e", TiedTables.V, TiedTables.D)
            .output("logits", -1, TiedTables.V)
            .weight("t", TiedTables.TABLE)
            .weight("h", other.transposed())
            .node(Node.of("Gather", "t", "ids").to("e").named("/embed_tokens/Gather"))
            .node(Node.of("MatMul", "x", "h").to("logits").named("/lm_head/MatMul"));

    Folding.of(folder, graphs, TiedTables.rows(Adapters.create(), "embed_tokens"), ids())
        .keeps("logits")
        .checks();
  }

  @ParameterizedTest
  @EnumSource(Form.class)
  void replacesBothHalvesByTheirSavedTensors(Form form) {
    Values saved = Values.random(40, TiedTables.V, TiedTables.D);
    Adapters adapter =
        Adapters.create()
            .saved("embed_tokens.weight", saved)
            .saved("lm_head.weight", saved)
            .config(ENSURED, "true");

    Folding folding = fold(form, adapter);

    assertThat(folding.after("e")).containsExactly(saved.floats());
    assertHeadIsTable(folding);
  }
}
