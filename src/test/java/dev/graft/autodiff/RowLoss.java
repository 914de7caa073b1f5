package dev.graft.autodiff;

import dev.graft.onnx.Attributes;
import dev.graft.onnx.proto.AttributeProto;
import dev.graft.onnx.proto.GraphProto;
import dev.graft.onnx.proto.ModelProto;
import dev.graft.onnx.proto.NodeProto;
import dev.graft.onnx.proto.OperatorSetIdProto;
import dev.graft.onnx.proto.TensorProto;
import dev.graft.onnx.proto.TensorShapeProto;
import dev.graft.onnx.proto.TypeProto;
import dev.graft.onnx.proto.ValueInfoProto;
import dev.graft.tensor.DType;
import java.util.List;

/**
 * A cross entropy for tests: −Σ weight · log softmax(logits)[label] over the rows of the logits,
 * with the labels and weights of all rows as inputs.
 */
final class RowLoss {

  static final String LOSS = "test.loss";
  static final String LABELS = "test.labels";
  static final String WEIGHTS = "test.weights";

  private RowLoss() {}

  /** The model with the loss of one of its outputs as a further output. */
  static ModelProto addTo(ModelProto model, String logits) {
    ModelProto.Builder result = model.toBuilder();
    GraphProto.Builder graph = result.getGraphBuilder();
    graph.addInitializer(Tensors.vector("test.rows", -1, classes(model, logits)));
    graph.addInput(value(LABELS, DType.INT64, "rows", "1"));
    graph.addInput(value(WEIGHTS, DType.FLOAT32, "rows", "1"));
    node(graph, "Cast", List.of(logits), "test.floats", Attributes.of("to", 1L));
    node(graph, "Reshape", List.of("test.floats", "test.rows"), "test.matrix");
    node(graph, "LogSoftmax", List.of("test.matrix"), "test.log", Attributes.of("axis", 1L));
    node(
        graph,
        "GatherElements",
        List.of("test.log", LABELS),
        "test.picked",
        Attributes.of("axis", 1L));
    node(graph, "Mul", List.of("test.picked", WEIGHTS), "test.weighted");
    node(graph, "ReduceSum", List.of("test.weighted"), "test.sum", Attributes.of("keepdims", 0L));
    node(graph, "Neg", List.of("test.sum"), LOSS);
    graph.addOutput(value(LOSS, DType.FLOAT32));
    return result.build();
  }

  private static long classes(ModelProto model, String logits) {
    return model.getGraph().getOutputList().stream()
        .filter(output -> output.getName().equals(logits))
        .map(output -> output.getType().getTensorType().getShape())
        .map(shape -> shape.getDim(shape.getDimCount() - 1).getDimValue())
        .findFirst()
        .orElseThrow();
  }

  /** The model with float outputs of these names beside its own. */
  static ModelProto withOutputs(ModelProto model, Iterable<String> names) {
    ModelProto.Builder result = model.toBuilder();
    for (String name : names) {
      result
          .getGraphBuilder()
          .addOutput(
              ValueInfoProto.newBuilder()
                  .setName(name)
                  .setType(
                      TypeProto.newBuilder()
                          .setTensorType(
                              TypeProto.Tensor.newBuilder()
                                  .setElemType(DType.FLOAT32.onnxCode()))));
    }
    return result.build();
  }

  static ValueInfoProto value(String name, DType type, String... dims) {
    TensorShapeProto.Builder shape = TensorShapeProto.newBuilder();
    for (String dim : dims) {
      if (dim.chars().allMatch(Character::isDigit)) {
        shape.addDimBuilder().setDimValue(Long.parseLong(dim));
      } else {
        shape.addDimBuilder().setDimParam(dim);
      }
    }
    return ValueInfoProto.newBuilder()
        .setName(name)
        .setType(
            TypeProto.newBuilder()
                .setTensorType(
                    TypeProto.Tensor.newBuilder().setElemType(type.onnxCode()).setShape(shape)))
        .build();
  }

  /** A model of ONNX's operators of a version. */
  static ModelProto model(int opset, GraphProto.Builder graph) {
    return ModelProto.newBuilder()
        .setIrVersion(8)
        .addOpsetImport(OperatorSetIdProto.newBuilder().setDomain("").setVersion(opset))
        .addOpsetImport(OperatorSetIdProto.newBuilder().setDomain(Draft.MICROSOFT).setVersion(1))
        .setGraph(graph.setName("test"))
        .build();
  }

  static TensorProto integers(String name, long... values) {
    return Tensors.vector(name, values);
  }

  private static void node(
      GraphProto.Builder graph,
      String operator,
      List<String> inputs,
      String output,
      AttributeProto... attributes) {
    graph.addNode(
        NodeProto.newBuilder()
            .setOpType(operator)
            .setName(output)
            .addAllInput(inputs)
            .addOutput(output)
            .addAllAttribute(List.of(attributes)));
  }
}
