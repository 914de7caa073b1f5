package dev.graft.match;

import static org.assertj.core.api.Assertions.assertThat;

import dev.graft.match.Cut.Finding;
import dev.graft.match.PackedNames.Kind;
import dev.graft.testing.Folding;
import dev.graft.testing.Graphs;
import dev.graft.testing.Node;
import dev.graft.testing.Values;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Where the parts of a packed product begin is what the operators behind it say. */
class CutReaderTest {

  private static final String MICROSOFT = "com.microsoft.";

  @TempDir Path folder;

  private static Graphs product(int outputs) {
    return Graphs.create()
        .input("x", -1, 4)
        .weight("w", Values.random(1, 4, outputs))
        .node(Node.of("MatMul", "x", "w").to("p").named("/attn/qkv_proj/MatMul"));
  }

  private Finding read(Graphs graphs, Kind kind) {
    SiteIndex index = Folding.index(folder, graphs);
    return new CutReader(index.graph()).read(index.sites(), kind);
  }

  private void refuses(Graphs graphs, Kind kind, String... words) {
    assertThat(read(graphs, kind))
        .isInstanceOfSatisfying(Finding.Refused.class, r -> assertThat(r.reason()).contains(words));
  }

  private void finds(Graphs graphs, Kind kind, Long... widths) {
    assertThat(read(graphs, kind))
        .isInstanceOfSatisfying(
            Finding.Known.class, k -> assertThat(k.cut().widths()).containsExactly(widths));
  }

  private static Graphs grouped(long outputs, long heads, long keyHeads) {
    return product((int) outputs)
        .node(
            Node.of(MICROSOFT + "GroupQueryAttention", "p", "", "", "", "", "l", "t")
                .to("a")
                .with("num_heads", heads)
                .with("kv_num_heads", keyHeads));
  }

  @ParameterizedTest
  @CsvSource({
    "16, 0, 2",
    "16, 4, 0",
    "16, -1, 2",
    "18, 4, 2",
    "16, 9223372036854775807, 4611686018427387904",
    "16, 2, 4611686018427387904"
  })
  void refusesHeadsThatDoNotDivideTheOutputs(long outputs, long heads, long keyHeads) {
    refuses(
        grouped(outputs, heads, keyHeads),
        Kind.QKV,
        "num_heads " + heads,
        "kv_num_heads " + keyHeads,
        outputs + " outputs");
  }

  @Test
  void countsTheHeadsOfAGroupedAttention() {
    finds(grouped(16, 4, 2), Kind.QKV, 8L, 4L, 4L);
  }

  @Test
  void refusesAPackOfGateAndUpThatAnAttentionReads() {
    refuses(grouped(16, 4, 2), Kind.GATE_UP, "takes query, key and value");
  }

  @Test
  void refusesAProductThatIsOnlyOneOfAnAttentionsInputs() {
    Graphs graphs =
        product(12).node(Node.of(MICROSOFT + "MultiHeadAttention", "p", "k", "v").to("a"));

    refuses(graphs, Kind.QKV, "one of its query, key and value");
  }

  @Test
  void refusesTheOperatorThatWantsHeadsInterleaved() {
    refuses(
        product(12).node(Node.of(MICROSOFT + "MultiHeadAttention", "p").to("a")),
        Kind.QKV,
        "head by head");
  }

  private static Node attention() {
    return Node.of(MICROSOFT + "Attention", "x", "w", "b").to("a").with("num_heads", 2);
  }

  private static Graphs projecting(int outputs, Node attention) {
    return Graphs.create()
        .input("x", -1, 3, 4)
        .weight("w", Values.random(1, 4, outputs))
        .weight("b", Values.random(2, outputs))
        .node(attention);
  }

  @Test
  void takesThirdsOfAnAttentionsWeight() {
    finds(projecting(12, attention()), Kind.QKV, 4L, 4L, 4L);
  }

  @Test
  void takesTheSizesThatAnAttentionGives() {
    finds(
        projecting(14, attention().with("qkv_hidden_sizes", List.of(4L, 4L, 6L))),
        Kind.QKV,
        4L,
        4L,
        6L);
  }

  @Test
  void refusesSizesThatDoNotAddUp() {
    refuses(
        projecting(12, attention().with("qkv_hidden_sizes", List.of(4L, 4L, 6L))),
        Kind.QKV,
        "[4, 4, 6]",
        "14 together",
        "12 outputs");
    refuses(
        projecting(12, attention().with("qkv_hidden_sizes", List.of(6L, 6L))),
        Kind.QKV,
        "2 parts",
        "expected 3");
    refuses(
        projecting(
            12, attention().with("qkv_hidden_sizes", List.of(Long.MAX_VALUE, Long.MAX_VALUE, 14L))),
        Kind.QKV,
        "expected 3");
    refuses(projecting(13, attention()), Kind.QKV, "three equal parts", "13 outputs");
  }

  private static Graphs split(Node split) {
    return product(10).node(split);
  }

  @Test
  void readsSizesOfASplitFromAnInputOrAnAttribute() {
    finds(
        split(Node.of("Split", "p", "s").to("q", "k", "v").with("axis", -1)).integers("s", 6, 3, 1),
        Kind.QKV,
        6L,
        3L,
        1L);
    finds(
        split(
            Node.of("Split", "p")
                .to("q", "k", "v")
                .with("axis", 2)
                .with("split", List.of(2L, 4L, 4L))),
        Kind.QKV,
        2L,
        4L,
        4L);
    finds(split(Node.of("Split", "p").to("g", "u").with("axis", 1)), Kind.GATE_UP, 5L, 5L);
  }

  @Test
  void refusesASplitIntoAnotherNumberOfParts() {
    refuses(
        split(Node.of("Split", "p").to("a", "b").with("axis", -1)),
        Kind.QKV,
        "10 outputs into 2 parts",
        "expected 3");
    refuses(split(Node.of("Split", "p").to("a", "b").with("axis", 0)), Kind.GATE_UP, "axis");
    refuses(
        split(Node.of("Split", "p", "s").to("q", "k", "v").with("axis", -1))
            .integers("s", 6, -3, 7),
        Kind.QKV,
        "[6, -3, 7]");
  }

  @Test
  void leavesASplitOpenWhoseSizesAreComputed() {
    assertThat(
            read(
                split(Node.of("Split", "p", "s").to("q", "k", "v").with("axis", -1))
                    .input(dev.graft.tensor.DType.INT64, "s", 3),
                Kind.QKV))
        .isInstanceOf(Finding.Open.class);
  }

  private static Node slice(String out, String from, String to) {
    return Node.of("Slice", "p", from, to, "axis").to(out);
  }

  private static Graphs sliced() {
    return product(10)
        .integers("zero", 0)
        .integers("five", 5)
        .integers("minusFive", -5)
        .integers("six", 6)
        .integers("end", Long.MAX_VALUE)
        .integers("axis", -1)
        .integers("two", 2);
  }

  @Test
  void readsTheBoundsOfSlicesInAnyOrder() {
    finds(
        sliced().node(slice("u", "minusFive", "end")).node(slice("g", "zero", "five")),
        Kind.GATE_UP,
        5L,
        5L);
  }

  @Test
  void refusesSlicesThatLeaveGapsOrOverlap() {
    refuses(
        sliced().node(slice("g", "zero", "five")).node(slice("u", "six", "end")),
        Kind.GATE_UP,
        "gaps or overlap");
    refuses(
        sliced().node(slice("g", "zero", "six")).node(slice("u", "five", "end")),
        Kind.GATE_UP,
        "gaps or overlap");
  }

  @Test
  void refusesSlicesThatTakeEverySecondOutput() {
    refuses(
        sliced()
            .node(Node.of("Slice", "p", "zero", "end", "axis", "two").to("g"))
            .node(Node.of("Slice", "p", "five", "end", "axis", "two").to("u")),
        Kind.GATE_UP,
        "every 2. output",
        "interleaved");
  }

  @Test
  void refusesPartsThatAnAttentionTakesInAnotherOrder() {
    refuses(
        split(Node.of("Split", "p", "s").to("k", "q", "v").with("axis", -1))
            .integers("s", 4, 4, 2)
            .node(Node.of(MICROSOFT + "MultiHeadAttention", "q", "k", "v").to("a")),
        Kind.QKV,
        "order query, key, value",
        "part 1",
        "the key");
  }

  @Test
  void refusesReadersThatAreCutInDifferentWays() {
    Graphs graphs =
        split(Node.of("Split", "p").to("g", "u").with("axis", -1))
            .node(Node.of("MatMul", "x", "w").to("p2"))
            .node(Node.of("Split", "p2", "s").to("g2", "u2").with("axis", -1))
            .integers("s", 4, 6);

    refuses(graphs, Kind.GATE_UP, "in different ways");
  }

  @ParameterizedTest
  @ValueSource(strings = {"Reshape", "Transpose"})
  void refusesAProductThatIsRearrangedFirst(String operator) {
    refuses(product(10).node(Node.of(operator, "p", "s").to("r")), Kind.QKV, "interleaved");
  }

  @Test
  void listsThePartsForReports() {
    SiteIndex index = Folding.index(folder, grouped(16, 4, 2));

    assertThat(new SiteParts(index).of(index.sites().getFirst()))
        .containsExactly(
            new SiteParts.Part("query", new OutputRange(0, 8)),
            new SiteParts.Part("key", new OutputRange(8, 4)),
            new SiteParts.Part("value", new OutputRange(12, 4)));
  }

  @Test
  void listsNoPartsOfAWeightThatPacksNothing() {
    Graphs graphs =
        Graphs.create()
            .input("x", -1, 4)
            .weight("fc.weight", Values.random(1, 4, 4))
            .node(Node.of("MatMul", "x", "fc.weight").to("p"))
            .node(Node.of("Split", "p").to("a", "b").with("axis", -1));
    SiteIndex index = Folding.index(folder, graphs);

    assertThat(new SiteParts(index).of(index.sites().getFirst())).isEmpty();
  }
}
