package dev.graft.train;

import dev.graft.onnx.OnnxModel;
import dev.graft.onnx.proto.AttributeProto;
import dev.graft.onnx.proto.GraphProto;
import dev.graft.onnx.proto.ModelProto;
import dev.graft.onnx.proto.NodeProto;
import dev.graft.onnx.proto.StringStringEntryProto;
import dev.graft.onnx.proto.TensorProto;
import dev.graft.runtime.TrainingArtifacts;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Optional;
import java.util.SequencedMap;
import java.util.Set;

/**
 * Where files in another folder find frozen weights: in the base's own files if those lie in the
 * folder or below it, for no runtime reads data outside a model's folder; else in copies.
 */
final class FrozenPlaces {

  private static final String LOCATION = "location";

  private final Map<String, String> renamed;
  private final SequencedMap<Path, String> copies;

  private FrozenPlaces(Map<String, String> renamed, SequencedMap<Path, String> copies) {
    this.renamed = renamed;
    this.copies = copies;
  }

  /**
   * Finds the places that a graph needs.
   *
   * @param base where the weights are
   * @param graph has them as external data, found from the base's folder
   * @param folder where the graph goes
   */
  static FrozenPlaces of(OnnxModel base, ModelProto graph, Path folder) {
    Path home =
        Optional.ofNullable(base.path().toAbsolutePath().normalize().getParent()).orElseThrow();
    Set<String> used = new LinkedHashSet<>();
    collect(graph.getGraph(), used);
    Map<String, String> renamed = new LinkedHashMap<>();
    SequencedMap<Path, String> copies = new LinkedHashMap<>();
    for (String location : used) {
      Path file = home.resolve(location);
      if (home.startsWith(folder)) {
        renamed.put(location, folder.relativize(file).toString().replace('\\', '/'));
      } else {
        String name =
            TrainingArtifacts.TRAINING + ".data" + (copies.isEmpty() ? "" : "." + copies.size());
        renamed.put(location, name);
        copies.put(file, name);
      }
    }
    return new FrozenPlaces(renamed, copies);
  }

  /** Files that have to be copied, with the names that the copies get. */
  SequencedMap<Path, String> copies() {
    return copies;
  }

  /** The model with the weights at their new places. */
  ModelProto in(ModelProto model) {
    return model.toBuilder().setGraph(in(model.getGraph())).build();
  }

  private GraphProto in(GraphProto graph) {
    GraphProto.Builder moved = graph.toBuilder();
    for (int i = 0; i < graph.getInitializerCount(); i++) {
      moved.setInitializer(i, in(graph.getInitializer(i)));
    }
    for (int n = 0; n < graph.getNodeCount(); n++) {
      NodeProto node = graph.getNode(n);
      for (int a = 0; a < node.getAttributeCount(); a++) {
        if (node.getAttribute(a).hasG()) {
          AttributeProto.Builder attribute = node.getAttribute(a).toBuilder();
          moved.getNodeBuilder(n).setAttribute(a, attribute.setG(in(attribute.getG())));
        }
      }
    }
    return moved.build();
  }

  private TensorProto in(TensorProto tensor) {
    TensorProto.Builder moved = tensor.toBuilder();
    for (StringStringEntryProto.Builder entry : moved.getExternalDataBuilderList()) {
      if (entry.getKey().equals(LOCATION)) {
        entry.setValue(renamed.getOrDefault(entry.getValue(), entry.getValue()));
      }
    }
    return moved.build();
  }

  private static void collect(GraphProto graph, Set<String> into) {
    for (TensorProto tensor : graph.getInitializerList()) {
      tensor.getExternalDataList().stream()
          .filter(entry -> entry.getKey().equals(LOCATION))
          .forEach(entry -> into.add(entry.getValue()));
    }
    for (NodeProto node : graph.getNodeList()) {
      node.getAttributeList().stream()
          .filter(AttributeProto::hasG)
          .forEach(attribute -> collect(attribute.getG(), into));
    }
  }
}
