package dev.graft.train;

import dev.graft.autodiff.Differentiation;
import dev.graft.autodiff.GradientGraph;
import dev.graft.autodiff.Objective;
import dev.graft.autodiff.Objective.Activations;
import dev.graft.onnx.proto.GraphProto;
import dev.graft.onnx.proto.ModelProto;
import dev.graft.onnx.proto.NodeProto;
import dev.graft.onnx.proto.TensorShapeProto;
import dev.graft.onnx.proto.TypeProto;
import dev.graft.onnx.proto.ValueInfoProto;
import dev.graft.tensor.DType;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Objects;
import java.util.SequencedMap;
import java.util.Set;

/**
 * A loss and its gradients in the form that ONNX Runtime Training takes: parameters are inputs,
 * each with a buffer that its gradients are summed in.
 *
 * @param model the graph
 * @param totals for each parameter the output that holds the sum of its gradients so far; empty if
 *     the graph has no such outputs
 */
record TrainingGraph(ModelProto model, SequencedMap<String, String> totals) {

  private static final String MICROSOFT = "com.microsoft";
  private static final String RESET = "lazy_reset_grad";

  /** Whether the sums of gradients are outputs. */
  enum Totals {
    /** They are, for an optimizer outside the graph. */
    GIVEN,
    /** They stay inside, for ONNX Runtime's own optimizer. */
    KEPT
  }

  /**
   * What a training graph should be like.
   *
   * @param totals whether the sums of gradients are outputs
   * @param activations whether blocks are computed a second time to save memory
   */
  record Form(Totals totals, Activations activations) {}

  /**
   * Differentiates a loss.
   *
   * @throws dev.graft.error.UnsupportedException if an operator between loss and parameters has no
   *     rule
   */
  static TrainingGraph of(LossGraph loss, List<Parameter> parameters, Form form) {
    List<String> names = parameters.stream().map(Parameter::name).toList();
    GradientGraph gradients =
        Differentiation.of(
            new Objective(loss.model(), loss.names().loss(), names, form.activations()));
    GraphProto.Builder graph = withInputs(gradients.model().getGraph(), parameters);
    SequencedMap<String, String> outputs = new LinkedHashMap<>();
    for (Parameter parameter : parameters) {
      graph.addInput(value(parameter.name() + "_grad.accumulation.buffer", parameter));
    }
    graph.addInput(flag(RESET));
    for (Parameter parameter : parameters) {
      String gradient =
          Objects.requireNonNull(gradients.gradients().get(parameter.name()), parameter.name());
      NodeProto.Builder node = accumulator(parameter.name(), gradient);
      if (form.totals() == Totals.GIVEN) {
        String total = parameter.name() + ".gradient";
        graph.addOutput(value(total, parameter));
        outputs.put(parameter.name(), total);
        node.addOutput(total);
      }
      graph.addNode(node);
      graph.addOutput(flag(parameter.name() + "_grad.accumulation.out"));
    }
    return new TrainingGraph(withMicrosoft(gradients.model()).setGraph(graph).build(), outputs);
  }

  /** The loss alone, with parameters as inputs in the same order. */
  static ModelProto eval(LossGraph loss, List<Parameter> parameters) {
    return loss.model().toBuilder()
        .setGraph(withInputs(loss.model().getGraph(), parameters))
        .build();
  }

  private static GraphProto.Builder withInputs(GraphProto graph, List<Parameter> parameters) {
    Set<String> names = new HashSet<>();
    parameters.forEach(parameter -> names.add(parameter.name()));
    GraphProto.Builder changed = graph.toBuilder().clearInitializer().clearInput();
    graph.getInitializerList().stream()
        .filter(tensor -> !names.contains(tensor.getName()))
        .forEach(changed::addInitializer);
    graph.getInputList().stream()
        .filter(input -> !names.contains(input.getName()))
        .forEach(changed::addInput);
    parameters.forEach(parameter -> changed.addInput(value(parameter.name(), parameter)));
    return changed;
  }

  private static NodeProto.Builder accumulator(String parameter, String gradient) {
    return NodeProto.newBuilder()
        .setDomain(MICROSOFT)
        .setOpType("InPlaceAccumulatorV2")
        .setName(parameter + "/InPlaceAccumulatorV2")
        .addInput(parameter + "_grad.accumulation.buffer")
        .addInput(gradient)
        .addInput(RESET)
        .addOutput(parameter + "_grad.accumulation.out");
  }

  private static ModelProto.Builder withMicrosoft(ModelProto model) {
    ModelProto.Builder imported = model.toBuilder();
    boolean has =
        model.getOpsetImportList().stream().anyMatch(set -> set.getDomain().equals(MICROSOFT));
    if (!has) {
      imported.addOpsetImportBuilder().setDomain(MICROSOFT).setVersion(1);
    }
    return imported;
  }

  private static ValueInfoProto value(String name, Parameter parameter) {
    TensorShapeProto.Builder shape = TensorShapeProto.newBuilder();
    for (long dim : parameter.shape().toArray()) {
      shape.addDimBuilder().setDimValue(dim);
    }
    return tensor(name, DType.FLOAT32, shape);
  }

  private static ValueInfoProto flag(String name) {
    TensorShapeProto.Builder one = TensorShapeProto.newBuilder();
    one.addDimBuilder().setDimValue(1);
    return tensor(name, DType.BOOL, one);
  }

  private static ValueInfoProto tensor(String name, DType dtype, TensorShapeProto.Builder shape) {
    TypeProto.Tensor.Builder type =
        TypeProto.Tensor.newBuilder().setElemType(dtype.onnxCode()).setShape(shape);
    return ValueInfoProto.newBuilder()
        .setName(name)
        .setType(TypeProto.newBuilder().setTensorType(type))
        .build();
  }
}
