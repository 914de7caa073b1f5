package dev.graft.match;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.graft.error.BindingException;
import dev.graft.error.UnsupportedException;
import dev.graft.error.UsageException;
import dev.graft.tensor.DType;
import dev.graft.tensor.Shape;
import dev.graft.testing.Adapters;
import dev.graft.testing.Folding;
import dev.graft.testing.Graphs;
import dev.graft.testing.Node;
import dev.graft.testing.Values;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * The prefix between the names of file and adapter, and what happens where not everything binds.
 */
class BinderTest {

  @TempDir Path folder;

  /** A layer for each module, each with its own output. */
  private static Graphs layers(String... modules) {
    Graphs graphs = Graphs.create().input("x", -1, 4);
    for (String module : modules) {
      String path = "/" + module.replace('.', '/');
      graphs
          .output("y:" + module, -1, 4)
          .weight("w:" + module, Values.random(module.hashCode(), 4, 4))
          .node(Node.of("MatMul", "x", "w:" + module).to("y:" + module).in(module).named(path));
    }
    return graphs;
  }

  private static Adapters adapter(String... modules) {
    Adapters adapter = Adapters.create();
    for (String module : modules) {
      adapter.lora(module, 4, 4);
    }
    return adapter;
  }

  private static Binder.Options prefix(String prefix) {
    return new Binder.Options(Optional.of(Prefix.parse(prefix)), NameMap.EMPTY);
  }

  @Test
  void refusesAModelThatHoldsABranchOfItsOwn() {
    Binding binding =
        Folding.bind(
            folder,
            layers("layers.0.q_proj", "layers.1.q_proj")
                .output("a", -1, 2)
                .weight("layers.1.q_proj.lora_A.weight", Values.random(1, 4, 2))
                .node(Node.of("MatMul", "x", "layers.1.q_proj.lora_A.weight").to("a")),
            adapter("layers.0.q_proj", "layers.1.q_proj"));

    assertThatThrownBy(binding::requireComplete)
        .isInstanceOf(UnsupportedException.class)
        .hasMessageContaining("1 of 2 targets are bound, 1 are not")
        .hasMessageContaining("layers.1.q_proj: the model holds a LoRA branch of its own there");
  }

  @Test
  void refusesAnAdapterOfWhichNothingBinds() {
    Binding binding =
        Folding.bind(
            folder,
            layers("h.0.attn", "h.1.attn"),
            adapter("bert.layer.0.query", "bert.layer.1.key"));

    assertThat(binding.bound()).isEmpty();
    assertThatThrownBy(binding::requireComplete)
        .isInstanceOf(BindingException.class)
        .hasMessageContaining("0 of 2 targets are bound, 2 are not")
        .hasMessageContaining("bert.layer.0.query: the file has no weight of the name")
        .hasMessageContaining("bert.layer.1.key")
        .hasMessageContaining("--prefix");
  }

  @Test
  void refusesAnAdapterOfWhichHalfBinds() {
    Binding binding =
        Folding.bind(
            folder,
            layers("m.layers.0.q_proj", "m.layers.0.k_proj", "m.layers.1.q_proj"),
            adapter("layers.0.q_proj", "layers.0.k_proj", "layers.5.q_proj", "layers.5.v_proj"));

    assertThat(binding.prefix()).isEqualTo(new Prefix("", "m."));
    assertThat(binding.bound()).hasSize(2);
    assertThat(binding.misses()).hasSize(2);
    assertThat(binding.misses().getFirst().nearest()).contains("m.layers.0.q_proj");
    assertThatThrownBy(binding::requireComplete)
        .isInstanceOf(BindingException.class)
        .hasMessageContaining("2 of 4 targets are bound, 2 are not")
        .hasMessageContaining("nearest: ");
  }

  @Test
  void neverBindsASingleTargetByTheEndOfItsName() {
    Binding one = Folding.bind(folder, layers("m.layers.0.q_proj"), adapter("layers.0.q_proj"));

    assertThat(one.bound()).isEmpty();
    assertThat(one.misses().getFirst().nearest()).containsExactly("m.layers.0.q_proj");
    assertThat(
            Folding.bind(
                    folder, layers("m.layers.0.q_proj"), adapter("layers.0.q_proj"), prefix("=m."))
                .misses())
        .isEmpty();
  }

  @Test
  void neverGivesTargetsDifferentPrefixes() {
    Binding binding =
        Folding.bind(folder, layers("a.layer.q", "b.layer.k"), adapter("layer.q", "layer.k"));

    assertThat(binding.bound()).isEmpty();
  }

  @Test
  void refusesTwoPrefixesThatBothFit() {
    Graphs graphs = layers("enc.layer.q", "enc.layer.k", "dec.layer.q", "dec.layer.k");

    assertThatThrownBy(() -> Folding.bind(folder, graphs, adapter("layer.q", "layer.k")))
        .isInstanceOf(BindingException.class)
        .hasMessageContaining("2 prefixes bind every target")
        .hasMessageContaining("'' -> 'dec.'")
        .hasMessageContaining("'' -> 'enc.'")
        .hasMessageContaining("--prefix FROM=TO");
    assertThat(Folding.bind(folder, graphs, adapter("layer.q", "layer.k"), prefix("=enc")).misses())
        .isEmpty();
  }

  @Test
  void refusesNamesAsTheyAreWhereAPrefixFitsToo() {
    Graphs graphs = layers("layer.q", "layer.k", "dec.layer.q", "dec.layer.k");

    assertThatThrownBy(() -> Folding.bind(folder, graphs, adapter("layer.q", "layer.k")))
        .isInstanceOf(BindingException.class)
        .hasMessageContaining("'' -> ''")
        .hasMessageContaining("'' -> 'dec.'");
    assertThat(Folding.bind(folder, graphs, adapter("layer.q", "layer.k"), prefix("=")).misses())
        .isEmpty();
  }

  @Test
  void takesTheOnlyPrefixUnderWhichShapesFit() {
    Graphs graphs =
        layers("enc.layer.q", "enc.layer.k")
            .weight("big", Values.random(5, 8, 4))
            .input("x8", -1, 8)
            .node(Node.of("MatMul", "x8", "big").to("o").in("dec.layer.q"))
            .node(Node.of("MatMul", "x8", "big").to("p").in("dec.layer.k"));

    assertThat(Folding.bind(folder, graphs, adapter("layer.q", "layer.k")).prefix())
        .isEqualTo(new Prefix("", "enc."));
  }

  @Test
  void doesNotMindTwoNamesForTheSamePlaces() {
    Graphs graphs =
        Graphs.create()
            .input("x", -1, 4)
            .output("q", -1, 4)
            .output("k", -1, 4)
            .weight("1", Values.random(1, 4, 4))
            .weight("2", Values.random(2, 4, 4))
            .node(Node.of("MatMul", "x", "1").to("q").in("layer.q").named("/m/layer/q/MatMul"))
            .node(Node.of("MatMul", "x", "2").to("k").in("layer.k").named("/m/layer/k/MatMul"));

    Binding binding = Folding.bind(folder, graphs, adapter("layer.q", "layer.k"));

    assertThat(binding.misses()).isEmpty();
    assertThat(binding.prefix()).isEqualTo(Prefix.NONE);
  }

  @Test
  void takesAWeightOfTheNameWhoseOperatorPutsAWrapperInFront() {
    Graphs graphs =
        Graphs.create()
            .input("x", -1, 4)
            .output("q", -1, 4)
            .weight("layer.q.weight", Values.random(1, 4, 4))
            .node(Node.of("MatMul", "x", "layer.q.weight").to("q").named("/m/layer/q/MatMul"));

    Folding.of(folder, graphs, adapter("layer.q")).moves("q", "layer.q");
  }

  @ParameterizedTest
  @CsvSource({
    "model., '', model.",
    "0.auto_model., '', 0.auto_model.",
    "'', bert., ''",
    "'', '', ''",
  })
  void derivesThePrefixFromAllTargetsTogether(String inFile, String inAdapter, String to) {
    String q = "layer.0.query";
    String k = "layer.0.key";
    Folding folding =
        Folding.of(
            folder,
            layers(inFile + q, inFile + k, inFile + "layer.1.key"),
            adapter(inAdapter + q, inAdapter + k));

    folding
        .moves("y:" + inFile + q, inAdapter + q)
        .moves("y:" + inFile + k, inAdapter + k)
        .keeps("y:" + inFile + "layer.1.key");
    assertThat(folding.binding().prefix()).isEqualTo(new Prefix(inAdapter, to));
  }

  @Test
  void carriesHeadsUnderThePrefix() {
    Values head = Values.random(3, 4, 4);
    Graphs graphs =
        layers("m.layer.q")
            .output("y", -1, 4)
            .weight("m.classifier.weight", Values.random(1, 4, 4))
            .node(Node.of("Gemm", "x", "m.classifier.weight").to("y").with("transB", 1));

    Binding binding =
        Folding.bind(folder, graphs, adapter("layer.q").saved("classifier.weight", head));

    assertThat(binding.misses()).isEmpty();
    assertThat(binding.prefix()).isEqualTo(new Prefix("", "m."));
  }

  @Test
  void takesThePrefixThatIsGiven() {
    Folding folding =
        Folding.of(
            folder,
            layers("0.auto_model.layer.q"),
            adapter("bert.layer.q"),
            prefix("bert=0.auto_model"),
            Map.of());

    folding.moves("y:0.auto_model.layer.q", "bert.layer.q");
  }

  @Test
  void saysWhichTargetsDoNotBeginWithThePrefixThatIsGiven() {
    Binding binding =
        Folding.bind(folder, layers("q"), adapter("bert.q", "classifier"), prefix("bert.="));

    assertThat(binding.bound()).extracting(BoundTarget::name).containsExactly("bert.q");
    assertThat(binding.misses())
        .singleElement()
        .satisfies(m -> assertThat(m.reason()).isEqualTo("does not begin with 'bert.'"));
  }

  @Test
  void refusesQuantisedWeightsAsUnsupported() {
    Values packed = new Values(DType.UINT8, Shape.of(4, 4), new float[16]);
    Graphs graphs =
        layers("b")
            .weight("a.weight_quantized", packed)
            .weight("zero", new Values(DType.UINT8, Shape.of(), new float[1]))
            .input(DType.UINT8, "xq", -1, 4)
            .output(DType.INT32, "y", -1, 4)
            .node(
                Node.of("MatMulInteger", "xq", "a.weight_quantized", "zero", "zero")
                    .to("y")
                    .named("/a/MatMul_quant"));

    Binding binding = Folding.bind(folder, graphs, adapter("a", "b"));

    assertThat(binding.misses())
        .singleElement()
        .satisfies(m -> assertThat(m.cause()).isEqualTo(Miss.Cause.QUANTISED));
    assertThatThrownBy(binding::requireComplete)
        .isInstanceOf(UnsupportedException.class)
        .hasMessageContaining("1 of the adapter's 2 targets")
        .hasMessageContaining("'a.weight_quantized' is quantised (MatMulInteger)")
        .hasMessageContaining("Fold into the float model first");
  }

  @ParameterizedTest
  @CsvSource({"MatMulNBits, q.MatMul.weight_Q4", "MatMulBnb4, q.MatMul.weight_Q4"})
  void knowsThePackedFormsOfQuantisedWeights(String operator, String weight) {
    Graphs graphs =
        Graphs.create()
            .input("x", -1, 32)
            .output("y", -1, 4)
            .weight(weight, new Values(DType.UINT8, Shape.of(4, 1, 16), new float[64]))
            .weight("s", Values.filled(1, 4))
            .node(
                Node.of("com.microsoft." + operator, "x", weight, "s")
                    .to("y")
                    .named("/q/MatMul_Q4")
                    .with("K", 32)
                    .with("N", 4));

    assertThat(Folding.bind(folder, graphs, Adapters.create().lora("q", 32, 4)).misses())
        .singleElement()
        .satisfies(m -> assertThat(m.cause()).isEqualTo(Miss.Cause.QUANTISED));
  }

  @Test
  void refusesAFloatWeightThatTheGraphRoundsItself() {
    Graphs graphs =
        Graphs.create()
            .input("x", -1, 4)
            .output("y", -1, 4)
            .weight("w", Values.random(1, 4, 4))
            .weight("s", Values.filled(0.1f))
            .node(Node.of("QuantizeLinear", "w", "s").to("q"))
            .node(Node.of("DequantizeLinear", "q", "s").to("d"))
            .node(Node.of("MatMul", "x", "d").to("y").named("/a/MatMul"));

    assertThat(Folding.bind(folder, graphs, adapter("a")).misses())
        .singleElement()
        .satisfies(m -> assertThat(m.cause()).isEqualTo(Miss.Cause.QUANTISED));
  }

  @Test
  void refusesLoraOnAnEmbeddingOrAConvolution() {
    Graphs graphs =
        Graphs.create()
            .input(DType.INT64, "ids", 2)
            .output("e", 2, 4)
            .weight("e.weight", Values.random(1, 4, 4))
            .node(Node.of("Gather", "e.weight", "ids").to("e"));

    assertThat(Folding.bind(folder, graphs, adapter("e")).misses())
        .singleElement()
        .satisfies(m -> {
          assertThat(m.cause()).isEqualTo(Miss.Cause.NO_FIT);
          assertThat(m.reason()).contains("is an embedding, which this kind of adapter tensor");
        });
  }

  @Test
  void refusesAMapFileThatNamesWhatTheAdapterDoesNotHave() throws IOException {
    NameMap map = NameMap.read(Files.writeString(folder.resolve("map"), "layer.qq -> x\n"));

    assertThatThrownBy(() ->
            Folding.bind(
                folder,
                layers("layer.q"),
                adapter("layer.q"),
                new Binder.Options(Optional.empty(), map)))
        .isInstanceOf(UsageException.class)
        .hasMessageContaining("'layer.qq'")
        .hasMessageContaining("layer.q");
  }

  @Test
  void leavesMappedTargetsOutOfTheDerivation() throws IOException {
    NameMap map = NameMap.read(Files.writeString(folder.resolve("map"), "odd -> node\n"));
    Graphs graphs =
        layers("m.layer.q", "m.layer.k")
            .output("y", -1, 4)
            .weight("w", Values.random(1, 4, 4))
            .node(Node.of("MatMul", "x", "w").to("y").named("node"));

    Folding.of(
            folder,
            graphs,
            adapter("layer.q", "layer.k", "odd"),
            new Binder.Options(Optional.empty(), map),
            Map.of())
        .moves("y", "odd")
        .moves("y:m.layer.q", "layer.q");
  }

  @Test
  void listsTwentyMissesAndCountsTheRest() {
    String[] modules = new String[30];
    for (int i = 0; i < modules.length; i++) {
      modules[i] = "absent." + i;
    }

    assertThatThrownBy(() -> Folding.bind(folder, layers("q"), adapter(modules)).requireComplete())
        .hasMessageContaining("absent.0:")
        .hasMessageContaining("and 10 more");
  }

  @Test
  void bindsInTheOrderOfTheAdapter() {
    Binding binding = Folding.bind(folder, layers("c", "a", "b"), adapter("a", "b", "c"));

    assertThat(binding.bound()).extracting(BoundTarget::name).isEqualTo(List.of("a", "b", "c"));
  }
}
