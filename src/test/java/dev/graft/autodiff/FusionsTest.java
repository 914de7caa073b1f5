package dev.graft.autodiff;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.graft.onnx.Attributes;
import dev.graft.onnx.proto.GraphProto;
import dev.graft.onnx.proto.ModelProto;
import dev.graft.onnx.proto.NodeProto;
import dev.graft.testing.GoldenCase;
import java.io.IOException;
import java.nio.file.Files;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;

final class FusionsTest {

  private final Random random = new Random(3);
  private final GraphProto.Builder graph = GraphProto.newBuilder();

  private FusionsTest tensor(String name, int... shape) {
    graph.addInitializer(Interpreter.encoded(name, Doubles.random(random, shape)));
    return this;
  }

  private FusionsTest number(String name, double value) {
    graph.addInitializer(Interpreter.encoded(name, Doubles.scalar(value)));
    return this;
  }

  private NodeProto.Builder node(String operator, String output, String... inputs) {
    return graph
        .addNodeBuilder()
        .setName(output)
        .setOpType(operator)
        .addAllInput(List.of(inputs))
        .addOutput(output);
  }

  private void mean(String output, String input, long axis) {
    node("ReduceMean", output, input).addAttribute(Emitter.ints("axes", axis));
  }

  /** The operators that are left; what they compute must not have changed. */
  private List<String> fused(String output) {
    ModelProto before = RowLoss.model(17, graph);
    ModelProto after = fused(before, List.of("x"));
    double[] expected = value(before, output);
    double[] actual = value(after, output);
    for (int i = 0; i < expected.length; i++) {
      assertThat(actual[i]).isCloseTo(expected[i], within(1e-6));
    }
    return after.getGraph().getNodeList().stream()
        .map(NodeProto::getOpType)
        .filter(op -> !op.equals("Identity"))
        .toList();
  }

  private static ModelProto fused(ModelProto model, List<String> trainable) {
    Draft draft = Draft.of(model);
    draft.replaceNodes(Order.of(draft.nodes()));
    Inliner.inline(draft);
    new Fusions(draft, new Emitter(draft)).apply(Activity.of(draft, trainable));
    return draft.build();
  }

  private static double[] value(ModelProto model, String name) {
    return requireNonNull(Interpreter.run(model, Map.of()).get(name)).values();
  }

  @Test
  void leavesWhatOnlyLooksLikeANorm() {
    tensor("x", 4, 4).tensor("w", 4).number("two", 2).number("epsilon", 0.01);
    node("Pow", "square", "x", "two");
    mean("mean", "square", 0);
    node("Add", "shifted", "mean", "epsilon");
    node("Sqrt", "root", "shifted");
    node("Div", "normal", "x", "root");
    node("Mul", "y", "w", "normal");
    assertThat(fused("y")).contains("Sqrt").doesNotContain("SimplifiedLayerNormalization");
  }

  @Test
  void leavesAGateOfAnotherValue() {
    tensor("x", 2, 4).tensor("z", 2, 4);
    node("Sigmoid", "s", "z");
    node("Mul", "m", "x", "s");
    assertThat(fused("m")).containsExactly("Sigmoid", "Mul");
  }

  @Test
  void findsRmsNormsByQuotientAndByReciprocal() {
    tensor("x", 2, 4).tensor("w", 4).number("two", 2).number("one", 1).number("epsilon", 0.01);
    node("Pow", "square", "x", "two");
    mean("mean", "square", -1);
    node("Add", "shifted", "epsilon", "mean");
    node("Sqrt", "root", "shifted");
    node("Div", "inverse", "one", "root");
    node("Mul", "normal", "x", "inverse");
    node("Mul", "y", "normal", "w");
    assertThat(fused("y")).containsExactly("SimplifiedLayerNormalization");
    graph.getNodeBuilder(4).setOpType("Reciprocal").clearInput().addInput("root");
    assertThat(fused("y")).containsExactly("SimplifiedLayerNormalization");
  }

  @Test
  void keepsWhatSomebodyElseReads() {
    tensor("x", 2, 4);
    node("Sigmoid", "s", "x");
    node("Mul", "m", "s", "x");
    node("Add", "y", "m", "s");
    assertThat(fused("y")).containsExactly("Sigmoid", "QuickGelu", "Add");
  }

  @Test
  void findsLayerNorms() {
    tensor("x", 2, 4).tensor("w", 4).tensor("b", 4).number("two", 2).number("epsilon", 0.01);
    mean("mean", "x", -1);
    node("Sub", "centred", "x", "mean");
    node("Pow", "square", "centred", "two");
    mean("variance", "square", -1);
    node("Add", "shifted", "variance", "epsilon");
    node("Sqrt", "root", "shifted");
    node("Div", "normal", "centred", "root");
    node("Mul", "scaled", "normal", "w");
    node("Add", "y", "scaled", "b");
    assertThat(fused("y")).containsExactly("LayerNormalization");
  }

  @Test
  void findsGeluWhateverTheOrderOfItsFactors() {
    tensor("x", 2, 4).number("root", Math.sqrt(2)).number("one", 1).number("half", 0.5);
    node("Div", "u", "x", "root");
    node("Erf", "e", "u");
    node("Add", "f", "e", "one");
    node("Mul", "p", "x", "f");
    node("Mul", "y", "p", "half");
    assertThat(fused("y")).containsExactly("Gelu");
    graph.getNodeBuilder(3).clearInput().addInput("x").addInput("half");
    graph.getNodeBuilder(4).clearInput().addInput("p").addInput("f");
    assertThat(fused("y")).containsExactly("Gelu");
  }

  @Test
  void findsGeluByTanh() {
    tensor("x", 2, 4).number("c", 0.044715).number("k", Math.sqrt(2 / Math.PI));
    number("three", 3).number("one", 1).number("half", 0.5);
    node("Pow", "cube", "x", "three");
    node("Mul", "small", "cube", "c");
    node("Add", "sum", "x", "small");
    node("Mul", "u", "sum", "k");
    node("Tanh", "t", "u");
    node("Add", "f", "t", "one");
    node("Mul", "h", "x", "half");
    node("Mul", "y", "h", "f");
    assertThat(fused("y")).containsExactly("FastGelu");
  }

  @Test
  void multipliesWithKeysBeforeTheyWereRepeated() {
    tensor("x", 2, 6, 3, 4).tensor("keys", 2, 2, 5, 4);
    graph.addInitializer(Tensors.vector("two", 2));
    graph.addInitializer(Tensors.vector("wide", 2, 2, 3, 5, 4));
    graph.addInitializer(Tensors.vector("heads", 2, 6, 5, 4));
    node("Unsqueeze", "parted", "keys", "two");
    node("Expand", "repeated", "parted", "wide");
    node("Reshape", "all", "repeated", "heads");
    node("Transpose", "turned", "all")
        .addAttribute(Attributes.ofInts("perm", List.of(0L, 1L, 3L, 2L)));
    node("MatMul", "y", "x", "turned");
    assertThat(fused("y")).containsExactly("Reshape", "FusedMatMul", "Reshape");
  }

  @Test
  void findsThemInTheGraphsOfBothExporters() throws IOException {
    for (String name : List.of("llama-ts-plain", "llama-dynamo-plain")) {
      List<String> left = operators(name);
      assertThat(left).as(name).doesNotContain("Sigmoid", "Pow", "Sqrt");
      assertThat(left.stream().filter(op -> op.equals("FusedMatMul"))).as(name).hasSize(2);
    }
    assertThat(operators("gpt2-ts-plain")).contains("FastGelu").doesNotContain("Tanh");
    assertThat(operators("bert-ts-plain")).contains("Gelu").doesNotContain("Erf");
  }

  /** What is left of a base whose weights all are trained. */
  private static List<String> operators(String name) throws IOException {
    GoldenCase golden =
        GoldenCase.naming("train").stream()
            .filter(c -> c.name().equals(name))
            .findFirst()
            .orElseThrow();
    ModelProto model = ModelProto.parseFrom(Files.readAllBytes(golden.file("base.onnx")));
    List<String> floats =
        model.getGraph().getInitializerList().stream()
            .filter(tensor -> tensor.getDataType() == 1)
            .map(tensor -> tensor.getName())
            .toList();
    return fused(model, floats).getGraph().getNodeList().stream()
        .map(NodeProto::getOpType)
        .toList();
  }
}
