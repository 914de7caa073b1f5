package dev.graft.autodiff;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import com.google.protobuf.ByteString;
import dev.graft.error.FormatException;
import dev.graft.error.UnsupportedException;
import dev.graft.graph.StopGradient;
import dev.graft.onnx.Attributes;
import dev.graft.onnx.proto.AttributeProto;
import dev.graft.onnx.proto.AttributeProto.AttributeType;
import dev.graft.onnx.proto.FunctionProto;
import dev.graft.onnx.proto.GraphProto;
import dev.graft.onnx.proto.ModelProto;
import dev.graft.onnx.proto.NodeProto;
import dev.graft.onnx.proto.OperatorSetIdProto;
import dev.graft.onnx.proto.ValueInfoProto;
import dev.graft.tensor.DType;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

final class DifferentiationTest {

  private final GraphProto.Builder graph =
      GraphProto.newBuilder()
          .addInitializer(Interpreter.encoded("a", Doubles.vector(1, 2, 3)))
          .addInitializer(Interpreter.encoded("b", Doubles.vector(4, 5, 6)));

  private NodeProto.Builder node(String operator, String output, String... inputs) {
    int dot = operator.lastIndexOf('.');
    return graph
        .addNodeBuilder()
        .setName("/model/layer." + output + "/" + operator)
        .setDomain(dot < 0 ? "" : operator.substring(0, dot))
        .setOpType(operator.substring(dot + 1))
        .addAllInput(List.of(inputs))
        .addOutput(output);
  }

  private void sum(String value) {
    node("ReduceSum", "loss", value).addAttribute(Attributes.of("keepdims", 0L));
  }

  private GradientGraph gradients(String... trainable) {
    return Differentiation.of(new Objective(RowLoss.model(17, graph), "loss", List.of(trainable)));
  }

  private double[] gradient(String name, String... trainable) {
    return values(gradients(trainable), name);
  }

  private static double[] values(GradientGraph found, String name) {
    String gradient = requireNonNull(found.gradients().get(name));
    return requireNonNull(Interpreter.run(found.model(), Map.of()).get(gradient)).values();
  }

  @Test
  void saysWhichNodeLacksARuleAndWhereOneWouldGo() {
    node("Det", "d", "a");
    sum("d");
    assertThatThrownBy(() -> gradients("a"))
        .isInstanceOf(UnsupportedException.class)
        .hasMessageContaining("Det '/model/layer.d/Det' of module 'model.layer.d'")
        .hasMessageContaining("src/main/java/dev/graft/autodiff");
  }

  @Test
  void readsTheModuleFromDynamosScopes() {
    node("Det", "d", "a")
        .setName("node_det")
        .addMetadataPropsBuilder()
        .setKey("pkg.torch.onnx.name_scopes")
        .setValue("['', 'model', 'model.layers.0', 'det']");
    sum("d");
    assertThatThrownBy(() -> gradients("a"))
        .hasMessageContaining("Det 'node_det' of module 'model.layers.0'");
  }

  @Test
  void refusesQuantisedNodesAndForeignLayouts() {
    node("com.microsoft.MatMulNBits", "d", "a", "b");
    sum("d");
    assertThatThrownBy(() -> gradients("a")).hasMessageContaining("through quantised nodes");
    graph.getNodeBuilder(0).setDomain("com.microsoft.nchwc").setOpType("Conv");
    assertThatThrownBy(() -> gradients("a")).hasMessageContaining("NCHWc");
  }

  @Test
  void refusesALossThatIsNoScalarOrNotThere() {
    node("Mul", "loss", "a", "b");
    assertThatThrownBy(() -> gradients("a"))
        .isInstanceOf(FormatException.class)
        .hasMessageContaining("the loss 'loss' is of type FLOAT32 and shape [3]");
    graph.clearNode();
    assertThatThrownBy(() -> gradients("a")).hasMessageContaining("no node of the graph computes");
  }

  @Test
  void refusesTrainableTensorsThatAreNotThereOrDoNotMatter() {
    node("Neg", "n", "a");
    sum("n");
    assertThatThrownBy(() -> gradients("c")).hasMessageContaining("no initializer or input 'c'");
    assertThatThrownBy(() -> gradients("a", "b"))
        .isInstanceOf(UnsupportedException.class)
        .hasMessageContaining("does not depend on 'b'");
    assertThatThrownBy(() -> gradients("b"))
        .hasMessageContaining("depends on none of the trainable tensors");
    assertThatThrownBy(() -> gradients("a", "a")).isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void refusesNodesThatReadEachOther() {
    node("Add", "x", "a", "y");
    node("Neg", "y", "x");
    sum("y");
    assertThatThrownBy(() -> gradients("a"))
        .isInstanceOf(FormatException.class)
        .hasMessageContaining("in a circle");
  }

  @Test
  void putsNodesInOrderFirst() {
    sum("y");
    node("Mul", "y", "x", "b");
    node("Neg", "x", "a");
    assertThat(gradient("a", "a")).containsExactly(-4, -5, -6);
  }

  @Test
  void goesNowhereButToTheTrainableTensors() {
    node("Exp", "frozen", "b");
    node("Mul", "y", "a", "frozen");
    node("Mul", "z", "y", "b");
    sum("z");
    GradientGraph found = gradients("a");
    assertThat(found.gradients()).containsExactly(Map.entry("a", "a_grad"));
    assertThat(emitted(found)).noneMatch(name -> name.startsWith("/model/layer.frozen"));
    assertThat(emitted(found).filter(name -> name.contains("layer.z/Mul/gradient/Mul"))).hasSize(1);
  }

  private static Stream<String> emitted(GradientGraph found) {
    return found.model().getGraph().getNodeList().stream()
        .map(NodeProto::getName)
        .filter(name -> name.contains("/gradient"));
  }

  @Test
  void sumsWhatComesFromSeveralReadersAndDifferentiatesEachNodeOnce() {
    node("Exp", "e", "a");
    node("Mul", "y", "e", "b");
    node("Add", "z", "y", "e");
    node("Add", "w", "z", "e");
    sum("w");
    assertThat(gradient("a", "a")[0]).isCloseTo(6 * Math.E, within(1e-9));
    assertThat(emitted(gradients("a")).filter(n -> n.contains("layer.e/Exp/gradient/Mul")))
        .hasSize(1);
  }

  @Test
  void takesMarkedNodesAsConstants() {
    node("Exp", "e", "a");
    graph.setNode(0, StopGradient.mark(graph.getNode(0)));
    node("Mul", "y", "e", "a");
    sum("y");
    assertThat(gradient("a", "a")[0]).isCloseTo(Math.E, within(1e-9));
  }

  @Test
  void takesTheBranchThatIsKnown() {
    graph.addInitializer(
        Tensors.integer("yes", 1).toBuilder()
            .setDataType(DType.BOOL.onnxCode())
            .setRawData(ByteString.copyFrom(new byte[] {1})));
    node("If", "y", "yes")
        .addAttribute(branch("then_branch", "Neg"))
        .addAttribute(branch("else_branch", "Exp"));
    sum("y");
    assertThat(gradient("a", "a")).containsExactly(-1, -1, -1);
  }

  @Test
  void refusesABranchThatIsNotKnown() {
    graph.addInput(RowLoss.value("yes", DType.BOOL));
    node("If", "y", "yes")
        .addAttribute(branch("then_branch", "Neg"))
        .addAttribute(branch("else_branch", "Exp"));
    sum("y");
    assertThatThrownBy(() -> gradients("a"))
        .isInstanceOf(UnsupportedException.class)
        .hasMessageContaining("which branch it takes is known at run time only");
  }

  private static AttributeProto branch(String name, String operator) {
    return AttributeProto.newBuilder()
        .setName(name)
        .setType(AttributeType.GRAPH)
        .setG(
            GraphProto.newBuilder()
                .addNode(NodeProto.newBuilder().setOpType(operator).addInput("a").addOutput("r"))
                .addOutput(ValueInfoProto.newBuilder().setName("r")))
        .build();
  }

  @Test
  void looksIntoFunctions() {
    node("local.scaled", "y", "a").addAttribute(Attributes.of("factor", 3f));
    sum("y");
    FunctionProto function =
        FunctionProto.newBuilder()
            .setDomain("local")
            .setName("scaled")
            .addInput("x")
            .addOutput("z")
            .addAttribute("factor")
            .addNode(
                NodeProto.newBuilder()
                    .setOpType("Constant")
                    .addOutput("f")
                    .addAttribute(
                        AttributeProto.newBuilder()
                            .setName("value_float")
                            .setType(AttributeType.FLOAT)
                            .setRefAttrName("factor")))
            .addNode(
                NodeProto.newBuilder().setOpType("Mul").addInput("x").addInput("f").addOutput("z"))
            .build();
    ModelProto model =
        RowLoss.model(17, graph).toBuilder()
            .addOpsetImport(OperatorSetIdProto.newBuilder().setDomain("local").setVersion(1))
            .addFunctions(function)
            .build();
    GradientGraph found = Differentiation.of(new Objective(model, "loss", List.of("a")));
    assertThat(values(found, "a")).containsExactly(3, 3, 3);
  }

  @Test
  void picksTheLabelsOutOfACrossEntropyWithoutZerosAsLargeAsTheLogits() {
    graph.addInitializer(
        Interpreter.encoded("logits", Doubles.of(new int[] {2, 3}, 1, 2, 3, 0, 1, 0)));
    graph.addInitializer(
        Tensors.vector("labels", 2, 0).toBuilder().clearDims().addDims(2).addDims(1));
    node("LogSoftmax", "log", "logits").addAttribute(Attributes.of("axis", -1L));
    node("GatherElements", "picked", "log", "labels").addAttribute(Attributes.of("axis", 1L));
    sum("picked");
    GradientGraph found = gradients("logits");
    assertThat(found.model().getGraph().getNodeList().stream().map(NodeProto::getOpType))
        .contains("ScatterElements")
        .doesNotContain("GatherElementsGrad");
    double[] gradient = gradient("logits", "logits");
    double row = Math.exp(1) + Math.exp(2) + Math.exp(3);
    assertThat(gradient[2]).isCloseTo(1 - Math.exp(3) / row, within(1e-6));
    assertThat(gradient[0]).isCloseTo(-Math.exp(1) / row, within(1e-6));
  }
}
