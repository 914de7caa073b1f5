package dev.graft.train;

import com.google.protobuf.TextFormat;
import dev.graft.onnx.proto.GraphProto;
import dev.graft.onnx.proto.ModelProto;
import dev.graft.onnx.proto.NodeProto;
import dev.graft.onnx.proto.TensorProto;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;

/** A graph from {@code onnx-graphs}, to stand alone or to be put into another one. */
final class Template {

  private final GraphProto graph;

  private Template(GraphProto graph) {
    this.graph = graph;
  }

  /** Reads the template of a name. */
  static Template read(String name) {
    String resource = "onnx-graphs/" + name + ".textproto";
    try (InputStream bytes = Template.class.getResourceAsStream(resource)) {
      if (bytes == null) {
        throw new IllegalStateException(resource + " is not on the class path");
      }
      GraphProto.Builder graph = GraphProto.newBuilder();
      TextFormat.merge(new InputStreamReader(bytes, StandardCharsets.UTF_8), graph);
      return new Template(graph.build());
    } catch (IOException e) {
      throw new UncheckedIOException(resource, e);
    }
  }

  /** The graph as it is in the file. */
  GraphProto graph() {
    return graph;
  }

  /** The same with a number in place of a scalar initializer's missing value. */
  Template with(String initializer, float value) {
    GraphProto.Builder filled = graph.toBuilder();
    for (TensorProto.Builder tensor : filled.getInitializerBuilderList()) {
      if (tensor.getName().equals(initializer)) {
        tensor.clearFloatData().addFloatData(value);
      }
    }
    return new Template(filled.build());
  }

  /**
   * Puts the nodes behind those of a graph.
   *
   * @param into takes nodes and initializers
   * @param given the graph's names for values that the template reads and makes; all others get
   *     fresh names
   */
  void addTo(GraphDraft into, Map<String, String> given) {
    Map<String, String> names = new HashMap<>(given);
    for (TensorProto tensor : graph.getInitializerList()) {
      String name = names.computeIfAbsent(tensor.getName(), n -> into.fresh("loss/" + n));
      into.add(tensor.toBuilder().setName(name).build());
    }
    for (NodeProto node : graph.getNodeList()) {
      NodeProto.Builder copy = node.toBuilder().clearInput().clearOutput();
      node.getInputList().forEach(name -> copy.addInput(required(names, name)));
      node.getOutputList()
          .forEach(
              name -> copy.addOutput(names.computeIfAbsent(name, n -> into.fresh("loss/" + n))));
      into.add(copy.setName(into.fresh("loss/" + node.getOpType())).build());
    }
  }

  private static String required(Map<String, String> names, String name) {
    String known = names.get(name);
    if (known == null) {
      throw new IllegalStateException("the template reads '" + name + "', which nothing gives it");
    }
    return known;
  }

  /** The graph as a model of its own, with the operator sets of its nodes. */
  ModelProto model() {
    ModelProto.Builder model = ModelProto.newBuilder().setIrVersion(8).setGraph(graph);
    model.addOpsetImportBuilder().setVersion(17);
    model.addOpsetImportBuilder().setDomain("com.microsoft").setVersion(1);
    return model.build();
  }
}
