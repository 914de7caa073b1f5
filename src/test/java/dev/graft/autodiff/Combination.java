package dev.graft.autodiff;

import dev.graft.onnx.Attributes;
import dev.graft.onnx.proto.GraphProto;
import dev.graft.onnx.proto.ModelProto;
import dev.graft.onnx.proto.NodeProto;
import dev.graft.onnx.proto.TensorProto;
import dev.graft.onnx.proto.TypeProto;
import dev.graft.onnx.proto.ValueInfoProto;
import dev.graft.runtime.HostTensor;
import dev.graft.tensor.DType;
import dev.graft.tensor.Shape;
import java.lang.foreign.MemorySegment;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * A model whose first output, weighted and summed, is the loss, and whose trainable initializers
 * are inputs.
 */
final class Combination {

  static final String LOSS = "test.loss";
  static final String WEIGHTS = "test.weights";

  private final ModelProto model;
  private final String output;
  private final Map<String, HostTensor> values = new HashMap<>();

  Combination(ModelProto base, List<String> trainable) {
    ModelProto.Builder result = base.toBuilder();
    GraphProto.Builder graph = result.getGraphBuilder().clearInitializer();
    this.output = graph.getOutput(0).getName();
    if (graph.getNodeList().stream().anyMatch(n -> n.getOpType().equals("GroupQueryAttention"))) {
      graph.getInputBuilderList().stream()
          .filter(input -> input.getName().startsWith("past_key_values"))
          .forEach(Combination::emptied);
    }
    for (TensorProto tensor : base.getGraph().getInitializerList()) {
      if (trainable.contains(tensor.getName())) {
        DType type = DType.ofOnnx(tensor.getDataType()).orElseThrow();
        String[] dims = tensor.getDimsList().stream().map(String::valueOf).toArray(String[]::new);
        graph.addInput(RowLoss.value(tensor.getName(), type, dims));
        values.put(
            tensor.getName(),
            new HostTensor(
                type,
                Shape.of(tensor.getDimsList().stream().mapToLong(Long::longValue).toArray()),
                MemorySegment.ofArray(tensor.getRawData().toByteArray())));
      } else {
        graph.addInitializer(tensor);
      }
    }
    graph.addInput(withoutLengths(graph.getOutput(0)));
    node(graph, "Cast", List.of(output), "test.floats").addAttribute(Attributes.of("to", 1L));
    node(graph, "Mul", List.of("test.floats", WEIGHTS), "test.weighted");
    node(graph, "ReduceSum", List.of("test.weighted"), LOSS)
        .addAttribute(Attributes.of("keepdims", 0L));
    this.model = result.build();
  }

  /** A model in which no node stops the gradient. */
  static ModelProto withoutStops(ModelProto model) {
    ModelProto.Builder result = model.toBuilder();
    result.getGraphBuilder().getNodeBuilderList().forEach(NodeProto.Builder::clearMetadataProps);
    return result.build();
  }

  /** Keys and values of a past of length 0. */
  private static void emptied(ValueInfoProto.Builder past) {
    past.getTypeBuilder()
        .getTensorTypeBuilder()
        .getShapeBuilder()
        .getDimBuilder(2)
        .clearDimParam()
        .setDimValue(0);
  }

  /** The weights' rank is the output's; the lengths are whatever the output's turn out to be. */
  private static ValueInfoProto withoutLengths(ValueInfoProto output) {
    ValueInfoProto.Builder weights = output.toBuilder().setName(WEIGHTS);
    TypeProto.Tensor.Builder type = weights.getTypeBuilder().getTensorTypeBuilder();
    type.setElemType(DType.FLOAT32.onnxCode());
    type.getShapeBuilder().getDimBuilderList().forEach(dim -> dim.clear());
    return weights.build();
  }

  /** Those float32 tensors among them that some node reads, each once. */
  static List<String> read(ModelProto model, List<String> names) {
    Set<String> read =
        model.getGraph().getNodeList().stream()
            .flatMap(node -> node.getInputList().stream())
            .collect(Collectors.toSet());
    Set<String> floats =
        model.getGraph().getInitializerList().stream()
            .filter(tensor -> tensor.getDataType() == DType.FLOAT32.onnxCode())
            .map(TensorProto::getName)
            .collect(Collectors.toSet());
    return names.stream().distinct().filter(read::contains).filter(floats::contains).toList();
  }

  /** Whether some of the tensors are kept beside the model. */
  static boolean isExternal(ModelProto model, List<String> names) {
    return model.getGraph().getInitializerList().stream()
        .filter(tensor -> names.contains(tensor.getName()))
        .anyMatch(tensor -> tensor.getDataLocation() == TensorProto.DataLocation.EXTERNAL);
  }

  private static NodeProto.Builder node(
      GraphProto.Builder graph, String operator, List<String> inputs, String result) {
    return graph.addNodeBuilder().setOpType(operator).addAllInput(inputs).addOutput(result);
  }

  ModelProto model() {
    return model;
  }

  /** The output that is combined. */
  String output() {
    return output;
  }

  /** The trainable tensors' values. */
  Map<String, HostTensor> values() {
    return values;
  }
}
