package dev.graft.match;

import static org.assertj.core.api.Assertions.assertThat;

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
import org.junit.jupiter.params.provider.ValueSource;

/** Each rule finds its module, and nothing that merely looks alike. */
class NameRuleTest {

  private static final String MODULE = "model.layers.0.self_attn.q_proj";
  private static final Values W = Values.random(1, 4, 4);

  @TempDir Path folder;

  private static Graphs layer() {
    return Graphs.create().input("x", -1, 4).output("y", -1, 4);
  }

  private static Adapters adapter() {
    return Adapters.create().lora(MODULE, 4, 4);
  }

  private void finds(Graphs graphs, NameRule rule) {
    Folding folding = Folding.of(folder, graphs, adapter());
    folding.moves("y", MODULE).checks();
    assertThat(folding.target(MODULE).place().rule()).isEqualTo(rule);
    assertThat(folding.splitBytes()).isZero();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "/model/layers.0/self_attn/MatMul",
        "/model/layers.0/self_attn/q_proj2/MatMul",
        "/layers.0/self_attn/q_proj/MatMul",
        "model/layers.0/self_attn/q_proj/MatMul",
        "/model/layers.0/self_attn/q_proj",
        "/MatMul",
        "//",
      })
  void findsNothingByOtherNodeNames(String name) {
    Graphs graphs = layer().weight("w", W).node(Node.of("MatMul", "x", "w").to("y").named(name));

    Binding binding = Folding.bind(folder, graphs, adapter());

    assertThat(binding.misses())
        .singleElement()
        .satisfies(m -> assertThat(m.cause()).isEqualTo(Miss.Cause.ABSENT));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "eval(['', 'model.layers.0.self_attn.q_proj', 'linear'])",
        "['model.layers.0.self_attn.q_proj']",
        "['', 'model.layers.0.self_attn.q_proj', 'linear', 'more']",
        "['' 'model.layers.0.self_attn.q_proj', 'linear'",
      })
  void findsNothingByOtherScopes(String literal) {
    Graphs graphs =
        layer()
            .weight("w", W)
            .node(
                Node.of("MatMul", "x", "w")
                    .to("y")
                    .metadata("pkg.torch.onnx.name_scopes", literal));

    assertThat(Folding.bind(folder, graphs, adapter()).bound()).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "['model.layers.0.self_attn.q_proj.weight', 'other.weight']",
        "['model.layers.0.self_attn.q_proj.bias']",
        "[]",
      })
  void findsNothingWhereAConstantWasFoldedFromSomethingElse(String literal) {
    Graphs graphs =
        layer()
            .weight("val_1", W)
            .foldedFrom("val_1", literal)
            .node(Node.of("MatMul", "x", "val_1").to("y"));

    assertThat(Folding.bind(folder, graphs, adapter()).bound()).isEmpty();
  }

  @Test
  void refusesAWeightOfTheNameWhoseOperatorBelongsElsewhere() {
    Graphs graphs =
        layer()
            .weight(MODULE + ".weight", W)
            .node(
                Node.of("MatMul", "x", MODULE + ".weight")
                    .to("y")
                    .named("/model/layers.0/self_attn/k_proj/MatMul"));

    Binding binding = Folding.bind(folder, graphs, adapter());

    assertThat(binding.misses())
        .singleElement()
        .satisfies(
            m -> assertThat(m.reason()).contains("belongs to 'model.layers.0.self_attn.k_proj'"));
  }

  @Test
  void refusesTwoWeightsOfOneName() {
    Graphs graphs =
        layer()
            .output("z", -1, 4)
            .weight("v", W)
            .weight("w", Values.random(2, 4, 4))
            .node(Node.of("MatMul", "x", "v").to("y").in(MODULE))
            .node(Node.of("MatMul", "x", "w").to("z").in(MODULE));

    assertThat(Folding.bind(folder, graphs, adapter()).misses())
        .singleElement()
        .satisfies(m -> assertThat(m.reason()).contains("2 different weights", "[v, w]", "--map"));
  }

  @Test
  void initializerName() {
    finds(
        layer()
            .weight(MODULE + ".weight", W)
            .node(Node.of("Gemm", "x", MODULE + ".weight").to("y").with("transB", 1)),
        NameRule.INITIALIZER);
  }

  @Test
  void initializerNameUnderANodeOfTheModuleAround() {
    finds(
        layer()
            .weight(MODULE + ".weight", W)
            .node(
                Node.of("Gemm", "x", MODULE + ".weight")
                    .to("y")
                    .named("/model/layers.0/self_attn/Gemm")
                    .with("transB", 1)),
        NameRule.INITIALIZER);
  }

  @Test
  void initializerNameBeforeTheNodesOwnWeights() {
    Graphs graphs =
        layer()
            .output("z", -1, 4)
            .weight(MODULE + ".weight", W)
            .weight("other", Values.random(2, 4, 4))
            .node(Node.of("MatMul", "x", MODULE + ".weight").to("y").in(MODULE))
            .node(Node.of("MatMul", "x", "other").to("z").in(MODULE));

    Folding.of(folder, graphs, adapter()).moves("y", MODULE).keeps("z");
  }

  @Test
  void foldedFrom() {
    finds(
        layer()
            .weight("val_92", W)
            .foldedFrom("val_92", "['" + MODULE + ".weight']")
            .node(Node.of("MatMul", "x", "val_92").to("y").named("node_MatMul_92")),
        NameRule.FOLDED_FROM);
  }

  @Test
  void nameScope() {
    finds(
        layer().weight("val_92", W).node(Node.of("MatMul", "x", "val_92").to("y").in(MODULE)),
        NameRule.NAME_SCOPE);
  }

  @Test
  void nodePath() {
    finds(
        layer()
            .weight("onnx::MatMul_787", W)
            .node(
                Node.of("MatMul", "x", "onnx::MatMul_787")
                    .to("y")
                    .named("/model/layers.0/self_attn/q_proj/MatMul")),
        NameRule.NODE_PATH);
  }

  @Test
  void nodePathOfWhatOnnxRuntimeFused() {
    finds(
        layer()
            .weight("onnx::MatMul_787", W)
            .node(
                Node.of("Gemm", "x", "onnx::MatMul_787")
                    .to("y")
                    .named("/model/layers.0/self_attn/q_proj/MatMul/MatMulAddFusion")),
        NameRule.NODE_PATH);
  }

  @Test
  void genai() {
    finds(
        layer()
            .weight("model.layers.0.attn.q_proj.MatMul.weight", W)
            .node(
                Node.of("MatMul", "x", "model.layers.0.attn.q_proj.MatMul.weight")
                    .to("y")
                    .named("/model/layers.0/attn/q_proj/MatMul")),
        NameRule.GENAI);
  }

  @Test
  void aTrueNameBeforeGenaisRenaming() {
    Graphs graphs =
        layer()
            .output("z", -1, 4)
            .weight("v", W)
            .weight("w", Values.random(2, 4, 4))
            .node(Node.of("MatMul", "x", "v").to("y").in(MODULE))
            .node(Node.of("MatMul", "x", "w").to("z").in("model.layers.0.attn.q_proj"));

    Folding.of(folder, graphs, adapter()).moves("y", MODULE).keeps("z");
  }

  @ParameterizedTest
  @ValueSource(strings = {"node_7", "w", "t"})
  void mapFile(String called) throws IOException {
    Path map =
        Files.writeString(folder.resolve("map"), "# mine\n\n" + MODULE + " -> " + called + "\n");
    Graphs graphs =
        layer()
            .weight("w", W)
            .node(Node.of("Identity", "w").to("t"))
            .node(Node.of("MatMul", "x", "t").to("y").named("node_7"));

    Folding folding =
        Folding.of(
            folder,
            graphs,
            adapter(),
            new Binder.Options(Optional.empty(), NameMap.read(map)),
            Map.of());

    folding.moves("y", MODULE);
    assertThat(folding.target(MODULE).place().rule()).isEqualTo(NameRule.MAP_FILE);
  }

  @Test
  void mapFileForOneOfTwoThatShareAWeight() throws IOException {
    Path map = Files.writeString(folder.resolve("map"), "a -> v\nb -> w\n");
    Graphs graphs =
        layer()
            .output("z", -1, 4)
            .weight("v", W)
            .node(Node.of("Identity", "v").to("w"))
            .node(Node.of("MatMul", "x", "v").to("y"))
            .node(Node.of("MatMul", "x", "w").to("z"));

    Folding.of(
            folder,
            graphs,
            Adapters.create().lora("a", 4, 4).lora("b", 4, 4),
            new Binder.Options(Optional.empty(), NameMap.read(map)),
            Map.of())
        .moves("y", "a")
        .moves("z", "b");
  }

  @Test
  void saysThatTheMapFileNamesNothing() throws IOException {
    Path map = Files.writeString(folder.resolve("map"), MODULE + " -> nowhere\n");
    Graphs graphs = layer().weight("w", W).node(Node.of("MatMul", "x", "w").to("y").in(MODULE));

    Binding binding =
        Folding.bind(
            folder, graphs, adapter(), new Binder.Options(Optional.empty(), NameMap.read(map)));

    assertThat(binding.misses())
        .singleElement()
        .satisfies(m -> assertThat(m.reason()).contains("the map file names 'nowhere'"));
  }

  @Test
  void everyRuleHasALabelOfItsOwn() {
    assertThat(List.of(NameRule.values())).extracting(NameRule::label).doesNotHaveDuplicates();
  }
}
