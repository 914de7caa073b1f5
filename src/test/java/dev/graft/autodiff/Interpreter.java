package dev.graft.autodiff;

import com.google.protobuf.ByteString;
import dev.graft.onnx.proto.ModelProto;
import dev.graft.onnx.proto.NodeProto;
import dev.graft.onnx.proto.TensorProto;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Runs a graph in double precision, straight from the definitions of its operators: the reference
 * that rules are held to.
 */
final class Interpreter {

  private static final Map<String, Op> OPS = ops();

  private Interpreter() {}

  /** One operator. */
  interface Op {
    List<Doubles> run(OpNode node, List<Doubles> in);
  }

  private static Map<String, Op> ops() {
    Map<String, Op> ops = new HashMap<>();
    PointwiseOps.addTo(ops);
    ShapeOps.addTo(ops);
    LinearOps.addTo(ops);
    IndexOps.addTo(ops);
    NormOps.addTo(ops);
    return ops;
  }

  /** All values of a graph, by name. */
  static Map<String, Doubles> run(ModelProto model, Map<String, Doubles> feeds) {
    Draft draft = Draft.of(model);
    Map<String, Doubles> values = new HashMap<>();
    for (TensorProto tensor : model.getGraph().getInitializerList()) {
      values.put(tensor.getName(), decoded(tensor));
    }
    values.putAll(feeds);
    for (NodeProto node : model.getGraph().getNodeList()) {
      OpNode view = new OpNode(node, draft);
      Op op = OPS.get(view.operator());
      if (op == null) {
        throw new IllegalArgumentException("the interpreter lacks " + view.operator());
      }
      List<Doubles> inputs = new ArrayList<>();
      for (String input : node.getInputList()) {
        inputs.add(input.isEmpty() ? Doubles.scalar(Double.NaN) : values.get(input));
      }
      List<Doubles> outputs = op.run(view, inputs);
      for (int i = 0; i < node.getOutputCount(); i++) {
        if (!node.getOutput(i).isEmpty()) {
          values.put(node.getOutput(i), outputs.get(i));
        }
      }
    }
    return values;
  }

  /** The values of a stored tensor. */
  static Doubles decoded(TensorProto tensor) {
    int[] shape = tensor.getDimsList().stream().mapToInt(Long::intValue).toArray();
    Doubles result = Doubles.zeros(shape);
    ByteBuffer bytes = tensor.getRawData().asReadOnlyByteBuffer().order(ByteOrder.LITTLE_ENDIAN);
    for (int i = 0; i < result.values().length; i++) {
      result.values()[i] =
          switch (tensor.getDataType()) {
            case 1 -> bytes.getFloat();
            case 6 -> bytes.getInt();
            case 7 -> bytes.getLong();
            case 9 -> bytes.get();
            case 11 -> bytes.getDouble();
            default -> throw new IllegalArgumentException("type " + tensor.getDataType());
          };
    }
    return result;
  }

  /** A float32 tensor of the graph. */
  static TensorProto encoded(String name, Doubles tensor) {
    ByteBuffer bytes =
        ByteBuffer.allocate(4 * tensor.values().length).order(ByteOrder.LITTLE_ENDIAN);
    for (double value : tensor.values()) {
      bytes.putFloat((float) value);
    }
    TensorProto.Builder proto =
        TensorProto.newBuilder()
            .setName(name)
            .setDataType(1)
            .setRawData(ByteString.copyFrom(bytes.array()));
    for (int length : tensor.shape()) {
      proto.addDims(length);
    }
    return proto.build();
  }
}
