package dev.graft.fold;

import dev.graft.fold.FoldCheck.Difference;
import dev.graft.onnx.EditedModel;
import dev.graft.onnx.GraphEdit;
import dev.graft.onnx.OnnxModel;
import dev.graft.onnx.proto.FunctionProto;
import dev.graft.onnx.proto.GraphProto;
import dev.graft.onnx.proto.ModelProto;
import dev.graft.onnx.proto.NodeProto;
import dev.graft.onnx.proto.TensorProto;
import dev.graft.onnx.proto.ValueInfoProto;
import java.util.List;

/**
 * Compares everything in a merged model but the values of its tensors with what the base becomes
 * under the merge's edits. The edits are carried out on the parsed base, by code that has nothing
 * in common with what wrote the file.
 */
final class Structure {

  private final List<Difference> differences;
  private int equalNodes;

  private Structure(List<Difference> differences) {
    this.differences = differences;
  }

  /**
   * Compares two models.
   *
   * @param edits what changes in the base
   * @param differences takes what is not as it should be
   * @return how many nodes are as they should be
   */
  static int compare(
      OnnxModel base, List<GraphEdit> edits, OnnxModel merged, List<Difference> differences) {
    Structure structure = new Structure(differences);
    structure.compare(EditedModel.of(base, edits), merged.proto());
    return structure.equalNodes;
  }

  private void compare(ModelProto expected, ModelProto found) {
    compareNodes("graph", expected.getGraph().getNodeList(), found.getGraph().getNodeList());
    compareFunctions(expected.getFunctionsList(), found.getFunctionsList());
    GraphProto graph = expected.getGraph();
    GraphProto other = found.getGraph();
    compareValues("input", graph.getInputList(), other.getInputList());
    compareValues("output", graph.getOutputList(), other.getOutputList());
    compareValues("value_info", graph.getValueInfoList(), other.getValueInfoList());
    compareInitializers(graph.getInitializerList(), other.getInitializerList());
    if (!rest(expected, expected).equals(rest(found, expected))) {
      differences.add(
          new Difference("model", "base", "another header, metadata or training graph"));
    }
  }

  private void compareFunctions(List<FunctionProto> expected, List<FunctionProto> found) {
    if (expected.size() != found.size()) {
      differences.add(new Difference("functions", "base", found.size() + " functions"));
      return;
    }
    for (int i = 0; i < expected.size(); i++) {
      FunctionProto function = expected.get(i);
      String name = "function '" + function.getName() + "'";
      compareNodes(name, function.getNodeList(), found.get(i).getNodeList());
      FunctionProto head = Valueless.of(function.toBuilder().clearNode().build());
      FunctionProto otherHead = Valueless.of(found.get(i).toBuilder().clearNode().build());
      if (!head.equals(otherHead)) {
        differences.add(new Difference(name, "base", "another signature"));
      }
    }
  }

  private void compareNodes(String where, List<NodeProto> expected, List<NodeProto> found) {
    if (expected.size() != found.size()) {
      differences.add(
          new Difference(where, "base", found.size() + " nodes instead of " + expected.size()));
      return;
    }
    for (int i = 0; i < expected.size(); i++) {
      if (Valueless.of(expected.get(i)).equals(Valueless.of(found.get(i)))) {
        equalNodes++;
      } else {
        differences.add(
            new Difference("node '" + expected.get(i).getName() + "'", "base", "another node"));
      }
    }
  }

  private void compareValues(
      String list, List<ValueInfoProto> expected, List<ValueInfoProto> found) {
    if (expected.size() != found.size()) {
      differences.add(
          new Difference(list, "base", found.size() + " entries instead of " + expected.size()));
      return;
    }
    for (int i = 0; i < expected.size(); i++) {
      if (!expected.get(i).equals(found.get(i))) {
        differences.add(
            new Difference(
                list + " '" + expected.get(i).getName() + "'", "base", "another declaration"));
      }
    }
  }

  /** Values are compared elsewhere; here it is the order, the names, the types and the shapes. */
  private void compareInitializers(List<TensorProto> expected, List<TensorProto> found) {
    List<TensorProto> one = expected.stream().map(Valueless::of).toList();
    List<TensorProto> other = found.stream().map(Valueless::of).toList();
    if (!one.equals(other)) {
      differences.add(
          new Difference("initializers", "base", "another order, name, type or shape of one"));
    }
  }

  /** What is left of a model, less the metadata that it has beyond another's. */
  private static ModelProto rest(ModelProto model, ModelProto other) {
    ModelProto.Builder rest = model.toBuilder().clearFunctions();
    rest.getGraphBuilder()
        .clearNode()
        .clearInput()
        .clearOutput()
        .clearValueInfo()
        .clearInitializer();
    for (int i = 0; i < model.getTrainingInfoCount(); i++) {
      rest.setTrainingInfo(i, Valueless.of(model.getTrainingInfo(i)));
    }
    while (rest.getMetadataPropsCount() > other.getMetadataPropsCount()) {
      rest.removeMetadataProps(rest.getMetadataPropsCount() - 1);
    }
    return rest.build();
  }
}
