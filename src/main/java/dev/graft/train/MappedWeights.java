package dev.graft.train;

import com.google.protobuf.ByteString;
import dev.graft.io.InputFile;
import dev.graft.io.OpenFile;
import dev.graft.onnx.DecodedValues;
import dev.graft.onnx.OnnxModel;
import dev.graft.onnx.StoredTensor;
import dev.graft.onnx.proto.AttributeProto;
import dev.graft.onnx.proto.FunctionProto;
import dev.graft.onnx.proto.GraphProto;
import dev.graft.onnx.proto.ModelProto;
import dev.graft.onnx.proto.NodeProto;
import dev.graft.onnx.proto.StringStringEntryProto;
import dev.graft.onnx.proto.TensorProto;
import dev.graft.tensor.TensorSource;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.IdentityHashMap;

/**
 * Gives the parsed skeleton of a model its weights back as places in the model's own files, so that
 * ONNX Runtime maps them: initializers become external data, even those that the model file itself
 * holds. Values of attributes, which cannot be external, are read.
 */
final class MappedWeights {

  private final OnnxModel base;
  private final IdentityHashMap<TensorProto, StoredTensor> stored = new IdentityHashMap<>();

  private MappedWeights(OnnxModel base) {
    this.base = base;
    base.tensors().forEach(tensor -> stored.put(tensor.proto(), tensor));
  }

  /**
   * A model whose large tensors are found from the base's folder.
   *
   * @param base where the weights are
   * @param skeleton the base's graph, edited; tensors that are not the base's stay as they are
   */
  static ModelProto in(OnnxModel base, ModelProto skeleton) {
    MappedWeights weights = new MappedWeights(base);
    ModelProto.Builder mapped = skeleton.toBuilder();
    mapped.setGraph(weights.graph(skeleton.getGraph()));
    for (int i = 0; i < skeleton.getFunctionsCount(); i++) {
      FunctionProto.Builder function = skeleton.getFunctions(i).toBuilder();
      for (int node = 0; node < function.getNodeCount(); node++) {
        function.setNode(node, weights.node(function.getNode(node)));
      }
      mapped.setFunctions(i, function);
    }
    return mapped.build();
  }

  private GraphProto graph(GraphProto graph) {
    GraphProto.Builder mapped = graph.toBuilder();
    for (int i = 0; i < graph.getInitializerCount(); i++) {
      mapped.setInitializer(i, initializer(graph.getInitializer(i)));
    }
    for (int i = 0; i < graph.getNodeCount(); i++) {
      mapped.setNode(i, node(graph.getNode(i)));
    }
    return mapped.build();
  }

  private NodeProto node(NodeProto node) {
    NodeProto.Builder mapped = node.toBuilder();
    for (int i = 0; i < node.getAttributeCount(); i++) {
      AttributeProto.Builder attribute = node.getAttribute(i).toBuilder();
      if (attribute.hasT()) {
        attribute.setT(value(attribute.getT()));
      }
      if (attribute.hasG()) {
        attribute.setG(graph(attribute.getG()));
      }
      for (int g = 0; g < attribute.getGraphsCount(); g++) {
        attribute.setGraphs(g, graph(attribute.getGraphs(g)));
      }
      mapped.setAttribute(i, attribute);
    }
    return mapped.build();
  }

  private TensorProto initializer(TensorProto tensor) {
    StoredTensor found = stored.get(tensor);
    if (found == null || !isLeftOut(found)) {
      return tensor;
    }
    return found.source().map(source -> external(tensor, source)).orElseGet(() -> value(tensor));
  }

  private TensorProto external(TensorProto tensor, TensorSource source) {
    String file = base.path().toAbsolutePath().getFileName().toString();
    return tensor.toBuilder()
        .clearRawData()
        .clearFloatData()
        .setDataLocation(TensorProto.DataLocation.EXTERNAL)
        .clearExternalData()
        .addExternalData(entry("location", file))
        .addExternalData(entry("offset", Long.toString(source.offset())))
        .addExternalData(entry("length", Long.toString(source.length())))
        .build();
  }

  private static StringStringEntryProto entry(String key, String value) {
    return StringStringEntryProto.newBuilder().setKey(key).setValue(value).build();
  }

  private TensorProto value(TensorProto tensor) {
    StoredTensor found = stored.get(tensor);
    return found == null || !isLeftOut(found)
        ? tensor
        : tensor.toBuilder()
            .clearFloatData()
            .clearInt32Data()
            .setRawData(ByteString.copyFrom(read(found)))
            .build();
  }

  private byte[] read(StoredTensor tensor) {
    if (tensor.source().isEmpty()) {
      try (InputFile file = InputFile.open(base.path())) {
        return DecodedValues.of(tensor, file).values().toArray(ValueLayout.JAVA_BYTE);
      }
    }
    TensorSource source = tensor.source().get();
    byte[] bytes = new byte[Math.toIntExact(source.length())];
    try (OpenFile file = base.openSource(source.file())) {
      file.readFully(MemorySegment.ofArray(bytes), source.offset());
    }
    return bytes;
  }

  /** Whether the skeleton lacks values that the model file has. */
  private static boolean isLeftOut(StoredTensor tensor) {
    TensorProto proto = tensor.proto();
    return tensor.storage() != StoredTensor.Storage.EXTERNAL
        && tensor.shape().elements() > 0
        && proto.getRawData().isEmpty()
        && proto.getFloatDataCount() == 0
        && proto.getInt32DataCount() == 0
        && proto.getInt64DataCount() == 0
        && proto.getDoubleDataCount() == 0
        && proto.getUint64DataCount() == 0
        && proto.getStringDataCount() == 0;
  }
}
