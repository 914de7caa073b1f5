package dev.graft.runtime;

import dev.graft.onnx.proto.GraphProto;
import dev.graft.onnx.proto.ModelProto;
import dev.graft.onnx.proto.NodeProto;
import dev.graft.onnx.proto.OperatorSetIdProto;
import dev.graft.onnx.proto.TensorShapeProto;
import dev.graft.onnx.proto.TypeProto;
import dev.graft.onnx.proto.ValueInfoProto;
import dev.graft.tensor.DType;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** Models of one-node wires from an input to an output, to be run in a microsecond. */
public final class TinyModels {

  private TinyModels() {}

  /**
   * One node from one input to one output of the same type and shape.
   *
   * @param op an ONNX operator of one input
   * @param input the graph input
   * @param output the graph output
   * @param dtype of both
   * @param dims of both: a number is a length, a word a name, an empty word no name
   */
  public record Wire(String op, String input, String output, DType dtype, List<String> dims) {

    /** A float32 wire. */
    public static Wire of(String op, String input, String output, String... dims) {
      return new Wire(op, input, output, DType.FLOAT32, List.of(dims));
    }

    /** A wire that passes on what it is fed. */
    public static Wire identity(DType dtype, String input, String... dims) {
      return new Wire("Identity", input, input + "_out", dtype, List.of(dims));
    }
  }

  /** Writes a model of these wires and gives its path. */
  public static Path write(Path file, Wire... wires) {
    GraphProto.Builder graph = GraphProto.newBuilder().setName("tiny");
    for (Wire wire : wires) {
      graph.addNode(
          NodeProto.newBuilder()
              .setOpType(wire.op())
              .addInput(wire.input())
              .addOutput(wire.output()));
      graph.addInput(value(wire.input(), type(wire)));
      boolean sequence = wire.op().equals("SequenceConstruct");
      TypeProto.Builder output =
          sequence
              ? TypeProto.newBuilder()
                  .setSequenceType(TypeProto.Sequence.newBuilder().setElemType(type(wire)))
              : type(wire);
      graph.addOutput(value(wire.output(), output));
    }
    ModelProto model =
        ModelProto.newBuilder()
            .setIrVersion(8)
            .addOpsetImport(OperatorSetIdProto.newBuilder().setVersion(17))
            .setGraph(graph)
            .build();
    try {
      return Files.write(file, model.toByteArray());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static ValueInfoProto.Builder value(String name, TypeProto.Builder type) {
    return ValueInfoProto.newBuilder().setName(name).setType(type);
  }

  private static TypeProto.Builder type(Wire wire) {
    TensorShapeProto.Builder shape = TensorShapeProto.newBuilder();
    for (String dim : wire.dims()) {
      TensorShapeProto.Dimension.Builder axis = TensorShapeProto.Dimension.newBuilder();
      if (dim.matches("\\d+")) {
        axis.setDimValue(Long.parseLong(dim));
      } else if (!dim.isEmpty()) {
        axis.setDimParam(dim);
      }
      shape.addDim(axis);
    }
    return TypeProto.newBuilder()
        .setTensorType(
            TypeProto.Tensor.newBuilder().setElemType(wire.dtype().onnxCode()).setShape(shape));
  }
}
