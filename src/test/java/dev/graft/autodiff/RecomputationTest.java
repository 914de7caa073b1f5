package dev.graft.autodiff;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;

import dev.graft.autodiff.Objective.Activations;
import dev.graft.onnx.Attributes;
import dev.graft.onnx.proto.GraphProto;
import dev.graft.onnx.proto.ModelProto;
import dev.graft.onnx.proto.NodeProto;
import dev.graft.tensor.DType;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** A product, two residual layers behind it, each y = x + tanh(x·W)·V, and a loss. */
final class RecomputationTest {

  private final GraphProto.Builder graph =
      GraphProto.newBuilder()
          .addInput(RowLoss.value("x", DType.FLOAT32, "2", "2"))
          .addInitializer(Interpreter.encoded("w0", matrix(0.8)))
          .addInitializer(Interpreter.encoded("w1", matrix(0.5)))
          .addInitializer(Interpreter.encoded("v1", matrix(-0.4)))
          .addInitializer(Interpreter.encoded("w2", matrix(0.2)))
          .addInitializer(Interpreter.encoded("v2", matrix(0.7)));

  private static Doubles matrix(double seed) {
    return Doubles.of(new int[] {2, 2}, seed, -0.1, 0.2 * seed, 0.9);
  }

  private NodeProto.Builder node(String operator, String output, String... inputs) {
    return graph
        .addNodeBuilder()
        .setName(output + "/" + operator)
        .setOpType(operator)
        .addAllInput(List.of(inputs))
        .addOutput(output);
  }

  private void first() {
    node("MatMul", "x0", "x", "w0");
  }

  private void layer(String x, String number) {
    node("MatMul", "h" + number, x, "w" + number);
    node("Tanh", "t" + number, "h" + number);
    node("MatMul", "o" + number, "t" + number, "v" + number);
    node("Add", "x" + number, x, "o" + number);
  }

  private void loss(String value) {
    node("Mul", "square", value, value);
    node("ReduceSum", "loss", "square").addAttribute(Attributes.of("keepdims", 0L));
  }

  private GradientGraph gradients(Activations activations) {
    ModelProto model = RowLoss.model(17, graph);
    return Differentiation.of(
        new Objective(model, "loss", List.of("w0", "w1", "v1", "w2"), activations));
  }

  private static double[] values(GradientGraph found, String name) {
    String gradient = requireNonNull(found.gradients().get(name));
    return requireNonNull(Interpreter.run(found.model(), Map.of("x", matrix(0.3))).get(gradient))
        .values();
  }

  private static Stream<String> names(GradientGraph found, String part) {
    return found.model().getGraph().getNodeList().stream()
        .map(NodeProto::getName)
        .filter(name -> name.contains(part));
  }

  @Test
  void repeatsNothingWithoutBeingAsked() {
    first();
    layer("x0", "1");
    layer("x1", "2");
    loss("x2");
    assertThat(names(gradients(Activations.KEPT), "recomputed")).isEmpty();
  }

  @Test
  void doesNotRepeatRandomNumbersNorWhatReadsNoInput() {
    first();
    node("MatMul", "h1", "x0", "w1");
    node("RandomNormalLike", "r", "h1");
    graph.addValueInfo(RowLoss.value("r", DType.FLOAT32, "2", "2"));
    node("Exp", "fixed", "v2");
    node("Mul", "n", "h1", "r");
    node("Mul", "m", "n", "fixed");
    node("MatMul", "o1", "m", "v1");
    node("Add", "x1", "x0", "o1");
    layer("x1", "2");
    loss("x2");
    GradientGraph found = gradients(Activations.RECOMPUTED);
    assertThat(names(found, "recomputed")).noneMatch(n -> n.startsWith("r/"));
    assertThat(names(found, "recomputed")).noneMatch(n -> n.startsWith("fixed/"));
    assertThat(reads(found, reads(found, "n/Mul/recomputed").getLast())).contains("r");
    assertThat(reads(found, "m/Mul/recomputed")).contains("fixed");
  }

  private static List<String> reads(GradientGraph found, String node) {
    return found.model().getGraph().getNodeList().stream()
        .filter(n -> n.getName().equals(node) || n.getOutputList().contains(node))
        .findFirst()
        .orElseThrow()
        .getInputList();
  }

  @Test
  void givesTheSameGradients() {
    first();
    layer("x0", "1");
    layer("x1", "2");
    loss("x2");
    GradientGraph kept = gradients(Activations.KEPT);
    GradientGraph recomputed = gradients(Activations.RECOMPUTED);
    for (String name : List.of("w0", "w1", "v1", "w2")) {
      assertThat(values(recomputed, name)).as(name).isEqualTo(values(kept, name));
    }
  }

  @Test
  void keepsOnlyWhatBlocksHandOn() {
    first();
    layer("x0", "1");
    layer("x1", "2");
    loss("x2");
    GradientGraph found = gradients(Activations.RECOMPUTED);
    assertThat(names(found, "recomputed")).contains("t1/Tanh/recomputed", "t2/Tanh/recomputed");
    assertThat(names(found, "recomputed")).noneMatch(n -> n.startsWith("o"));
    Set<String> forward = Set.of("h1", "t1", "o1", "h2", "t2", "o2");
    assertThat(readBehind(found, "loss")).contains("x1").doesNotContainAnyElementsOf(forward);
  }

  @Test
  void repeatsAfterTheGradientHasCome() {
    first();
    layer("x0", "1");
    layer("x1", "2");
    loss("x2");
    GradientGraph found = gradients(Activations.RECOMPUTED);
    assertThat(reads(found, "h2/MatMul/recomputed").getFirst()).startsWith("recomputed/");
    Map<String, NodeProto> producers = new HashMap<>();
    found.model().getGraph().getNodeList().forEach(n -> producers.put(n.getOutput(0), n));
    assertThat(behind("h2/recomputed", producers)).anyMatch(v -> v.startsWith("square/Mul/grad"));
  }

  /** All values that a value is computed from. */
  private static Set<String> behind(String value, Map<String, NodeProto> producers) {
    Set<String> found = new HashSet<>(Set.of(value));
    NodeProto producer = producers.get(value);
    if (producer != null) {
      producer.getInputList().forEach(input -> found.addAll(behind(input, producers)));
    }
    return found;
  }

  /** What the nodes behind the one of a name read. */
  private static Set<String> readBehind(GradientGraph found, String output) {
    Set<String> read = new HashSet<>();
    boolean isBehind = false;
    for (NodeProto node : found.model().getGraph().getNodeList()) {
      if (isBehind && !node.getOpType().equals("Shape")) {
        read.addAll(node.getInputList());
      }
      isBehind |= node.getOutputList().contains(output);
    }
    return read;
  }
}
