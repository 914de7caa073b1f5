package dev.graft.runtime;

import com.google.protobuf.ByteString;
import dev.graft.onnx.proto.GraphProto;
import dev.graft.onnx.proto.ModelProto;
import dev.graft.onnx.proto.NodeProto;
import dev.graft.onnx.proto.OperatorSetIdProto;
import dev.graft.onnx.proto.StringStringEntryProto;
import dev.graft.onnx.proto.TensorProto;
import dev.graft.onnx.proto.TypeProto;
import dev.graft.onnx.proto.ValueInfoProto;
import dev.graft.tensor.DType;
import dev.graft.tensor.Shape;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * The smallest training job: loss = sum of (w ∘ x ∘ f)², where w is trained and f is frozen. Its
 * gradient is 2 w ∘ (x ∘ f)².
 */
final class TinyTraining {

  static final int LENGTH = 3;

  private TinyTraining() {}

  /** The job with a frozen f of ones in the graph itself. */
  static TrainingArtifacts job(float... w) {
    ByteString ones = ByteString.copyFrom(bytes(HostTensor.ofFloats(Shape.of(LENGTH), 1, 1, 1)));
    return job(frozen().setRawData(ones).build(), w);
  }

  /** The job with f in a data file. */
  static TrainingArtifacts job(String location, float... w) {
    TensorProto.Builder frozen = frozen().setDataLocation(TensorProto.DataLocation.EXTERNAL);
    Map.of("location", location, "offset", "0", "length", "" + 4 * LENGTH)
        .forEach((key, value) ->
            frozen.addExternalData(
                StringStringEntryProto.newBuilder().setKey(key).setValue(value)));
    return job(frozen.build(), w);
  }

  private static TrainingArtifacts job(TensorProto frozen, float... w) {
    HostTensor start = HostTensor.ofFloats(Shape.of(LENGTH), w);
    return new TrainingArtifacts(
        MemorySegment.ofArray(training(frozen).toByteArray()),
        Optional.of(MemorySegment.ofArray(eval(frozen).toByteArray())),
        Optional.empty(),
        ParameterCheckpoint.bytes(Map.of("w", start)));
  }

  private static TensorProto.Builder frozen() {
    return TensorProto.newBuilder().setName("f").setDataType(1).addDims(LENGTH);
  }

  private static ModelProto training(TensorProto frozen) {
    GraphProto.Builder graph = forward(frozen);
    graph.addInput(value("w_grad.accumulation.buffer", DType.FLOAT32, LENGTH));
    graph.addInput(value("lazy_reset_grad", DType.BOOL, 1));
    graph.addNode(node("Mul", List.of("p", "xf"), "half"));
    graph.addNode(node("Add", List.of("half", "half"), "w_grad"));
    graph.addNode(
        node(
                "InPlaceAccumulatorV2",
                List.of("w_grad.accumulation.buffer", "w_grad", "lazy_reset_grad"),
                "w_grad.accumulation.out")
            .addOutput("w.total")
            .setDomain("com.microsoft"));
    graph.addOutput(value("w.total", DType.FLOAT32, LENGTH));
    graph.addOutput(value("w_grad.accumulation.out", DType.BOOL, 1));
    return model(graph);
  }

  private static ModelProto eval(TensorProto frozen) {
    return model(forward(frozen));
  }

  private static GraphProto.Builder forward(TensorProto frozen) {
    GraphProto.Builder graph = GraphProto.newBuilder().setName("g").addInitializer(frozen);
    graph.addInput(value("x", DType.FLOAT32, LENGTH));
    graph.addInput(value("w", DType.FLOAT32, LENGTH));
    graph.addNode(node("Mul", List.of("x", "f"), "xf"));
    graph.addNode(node("Mul", List.of("w", "xf"), "p"));
    graph.addNode(node("ReduceSumSquare", List.of("p"), "sum"));
    graph.addNode(node("Squeeze", List.of("sum"), "loss"));
    return graph.addOutput(value("loss", DType.FLOAT32));
  }

  private static ModelProto model(GraphProto.Builder graph) {
    return ModelProto.newBuilder()
        .setIrVersion(8)
        .setGraph(graph)
        .addOpsetImport(OperatorSetIdProto.newBuilder().setVersion(17))
        .addOpsetImport(OperatorSetIdProto.newBuilder().setDomain("com.microsoft").setVersion(1))
        .build();
  }

  private static NodeProto.Builder node(String op, List<String> inputs, String output) {
    return NodeProto.newBuilder()
        .setOpType(op)
        .setName(op + "/" + output)
        .addAllInput(inputs)
        .addOutput(output);
  }

  private static ValueInfoProto value(String name, DType dtype, long... dims) {
    TypeProto.Tensor.Builder tensor = TypeProto.Tensor.newBuilder().setElemType(dtype.onnxCode());
    tensor.getShapeBuilder();
    for (long dim : dims) {
      tensor.getShapeBuilder().addDimBuilder().setDimValue(dim);
    }
    return ValueInfoProto.newBuilder()
        .setName(name)
        .setType(TypeProto.newBuilder().setTensorType(tensor))
        .build();
  }

  /** The bytes of a tensor. */
  static byte[] bytes(HostTensor tensor) {
    return tensor.data().toArray(ValueLayout.JAVA_BYTE);
  }
}
