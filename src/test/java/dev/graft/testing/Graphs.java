package dev.graft.testing;

import com.google.protobuf.ByteString;
import dev.graft.onnx.proto.FunctionProto;
import dev.graft.onnx.proto.GraphProto;
import dev.graft.onnx.proto.ModelProto;
import dev.graft.onnx.proto.NodeProto;
import dev.graft.onnx.proto.OperatorSetIdProto;
import dev.graft.onnx.proto.StringStringEntryProto;
import dev.graft.onnx.proto.TensorProto;
import dev.graft.onnx.proto.TensorShapeProto;
import dev.graft.onnx.proto.TypeProto;
import dev.graft.onnx.proto.ValueInfoProto;
import dev.graft.tensor.DType;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Builds a graph, alone or as the body of a node, and writes it as a model. */
public final class Graphs {

  /** The domain of functions that {@link #function} adds. */
  public static final String LOCAL = "local";

  private static final OperatorSetIdProto OPSET =
      OperatorSetIdProto.newBuilder().setVersion(17).build();

  private final GraphProto.Builder graph = GraphProto.newBuilder().setName("g");
  private final ModelProto.Builder model = ModelProto.newBuilder().setIrVersion(8);
  private final Map<String, ByteArrayOutputStream> data = new LinkedHashMap<>();

  /** An empty graph. */
  public static Graphs create() {
    return new Graphs();
  }

  /** A float input; a negative length stands for any. */
  public Graphs input(String name, long... dims) {
    return input(DType.FLOAT32, name, dims);
  }

  /** An input. */
  public Graphs input(DType type, String name, long... dims) {
    graph.addInput(value(type, name, dims));
    return this;
  }

  /** A float output. */
  public Graphs output(String name, long... dims) {
    return output(DType.FLOAT32, name, dims);
  }

  /** An output. */
  public Graphs output(DType type, String name, long... dims) {
    graph.addOutput(value(type, name, dims));
    return this;
  }

  /** An embedded weight. */
  public Graphs weight(String name, Values values) {
    graph.addInitializer(values.tensor(name));
    return this;
  }

  /** A weight as it is. */
  public Graphs weight(TensorProto tensor) {
    graph.addInitializer(tensor);
    return this;
  }

  /** A vector of 64-bit integers: sizes, bounds, axes. */
  public Graphs integers(String name, long... values) {
    ByteBuffer bytes =
        ByteBuffer.allocate(values.length * Long.BYTES).order(ByteOrder.LITTLE_ENDIAN);
    for (long value : values) {
      bytes.putLong(value);
    }
    return weight(
        TensorProto.newBuilder()
            .setName(name)
            .setDataType(DType.INT64.onnxCode())
            .addDims(values.length)
            .setRawData(ByteString.copyFrom(bytes.flip()))
            .build());
  }

  /** A weight at the end of a data file. */
  public Graphs external(String name, Values values, String file) {
    ByteArrayOutputStream out = data.computeIfAbsent(file, f -> new ByteArrayOutputStream());
    long offset = out.size();
    out.writeBytes(values.bytes());
    return external(name, values, file, offset);
  }

  /** A weight on bytes of a data file that are there already. */
  public Graphs external(String name, Values values, String file, long offset) {
    graph.addInitializer(
        values
            .head(name)
            .setDataLocation(TensorProto.DataLocation.EXTERNAL)
            .addExternalData(entry("location", file))
            .addExternalData(entry("offset", Long.toString(offset)))
            .addExternalData(entry("length", Long.toString(values.bytes().length))));
    return this;
  }

  /** The shape of a float value between nodes; a negative length stands for any. */
  public Graphs declared(String name, long... dims) {
    graph.addValueInfo(value(DType.FLOAT32, name, dims));
    return this;
  }

  /** Adds a node. */
  public Graphs node(Node node) {
    graph.addNode(node.proto());
    return this;
  }

  /** Dynamo's note of where a folded constant came from, as the literal that it writes. */
  public Graphs foldedFrom(String value, String literal) {
    graph.addValueInfo(
        ValueInfoProto.newBuilder()
            .setName(value)
            .addMetadataProps(entry("pkg.onnxscript.optimizer.folded_from", literal)));
    return this;
  }

  /** Adds a function of domain {@link #LOCAL}. */
  public Graphs function(String name, List<String> inputs, String output, Node... nodes) {
    FunctionProto.Builder function =
        FunctionProto.newBuilder()
            .setDomain(LOCAL)
            .setName(name)
            .addAllInput(inputs)
            .addOutput(output)
            .addOpsetImport(OPSET)
            .addOpsetImport(domain(LOCAL));
    for (Node node : nodes) {
      NodeProto proto = node.proto();
      proto.getAttributeList().stream()
          .map(a -> a.getRefAttrName())
          .filter(n -> !n.isEmpty())
          .forEach(function::addAttribute);
      function.addNode(proto);
    }
    model.addFunctions(function);
    return this;
  }

  /** Another version of the file format. */
  public Graphs irVersion(long version) {
    model.setIrVersion(version);
    return this;
  }

  GraphProto graph() {
    return graph.build();
  }

  /** Writes {@code model.onnx} and its data files into a folder, which is made. */
  public Path write(Path folder) {
    model
        .setGraph(graph)
        .clearOpsetImport()
        .addOpsetImport(OPSET)
        .addOpsetImport(domain("com.microsoft"))
        .addOpsetImport(domain(LOCAL));
    try {
      Files.createDirectories(folder);
      for (Map.Entry<String, ByteArrayOutputStream> file : data.entrySet()) {
        Files.write(folder.resolve(file.getKey()), file.getValue().toByteArray());
      }
      Path path = folder.resolve("model.onnx");
      Files.write(path, model.build().toByteArray());
      return path;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static ValueInfoProto value(DType type, String name, long... dims) {
    TensorShapeProto.Builder shape = TensorShapeProto.newBuilder();
    for (long dim : dims) {
      TensorShapeProto.Dimension.Builder one = shape.addDimBuilder();
      if (dim >= 0) {
        one.setDimValue(dim);
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

  private static OperatorSetIdProto domain(String name) {
    return OperatorSetIdProto.newBuilder().setDomain(name).setVersion(1).build();
  }

  private static StringStringEntryProto entry(String key, String value) {
    return StringStringEntryProto.newBuilder().setKey(key).setValue(value).build();
  }
}
