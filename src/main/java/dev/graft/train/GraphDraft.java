package dev.graft.train;

import dev.graft.onnx.proto.GraphProto;
import dev.graft.onnx.proto.ModelProto;
import dev.graft.onnx.proto.NodeProto;
import dev.graft.onnx.proto.TensorProto;
import dev.graft.onnx.proto.ValueInfoProto;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * The main graph of a model while nodes are put behind its own, each after what it reads; what the
 * outputs do not need is cut off at the end.
 */
final class GraphDraft {

  private final ModelProto model;
  private final GraphProto.Builder graph;
  private final Map<String, NodeProto> producers = new HashMap<>();
  private final Map<String, TensorProto> initializers = new HashMap<>();
  private final Set<String> names = new HashSet<>();

  GraphDraft(ModelProto model) {
    this.model = model;
    this.graph = model.getGraph().toBuilder();
    graph.getInputList().forEach(input -> names.add(input.getName()));
    graph.getInitializerList().forEach(this::know);
    graph.getNodeList().forEach(this::know);
  }

  private void know(TensorProto tensor) {
    names.add(tensor.getName());
    initializers.put(tensor.getName(), tensor);
  }

  private void know(NodeProto node) {
    names.add(node.getName());
    names.addAll(node.getInputList());
    names.addAll(node.getOutputList());
    node.getOutputList().forEach(output -> producers.put(output, node));
  }

  /** A name that nothing has, like the one wished for; it is taken from now on. */
  String fresh(String wish) {
    String name = wish;
    for (int i = 1; !names.add(name); i++) {
      name = wish + "_" + i;
    }
    return name;
  }

  /** The node that makes a value; none for inputs and initializers. */
  Optional<NodeProto> producer(String value) {
    return Optional.ofNullable(producers.get(value));
  }

  /** The initializer of a name. */
  Optional<TensorProto> initializer(String name) {
    return Optional.ofNullable(initializers.get(name));
  }

  /** The inputs that must be fed. */
  List<ValueInfoProto> inputs() {
    return graph.getInputList().stream()
        .filter(input -> !initializers.containsKey(input.getName()))
        .toList();
  }

  /** The outputs so far. */
  List<ValueInfoProto> outputs() {
    return graph.getOutputList();
  }

  void add(NodeProto node) {
    graph.addNode(node);
    know(node);
  }

  void add(TensorProto initializer) {
    graph.addInitializer(initializer);
    know(initializer);
  }

  void addInput(ValueInfoProto input) {
    graph.addInput(input);
    names.add(input.getName());
  }

  /** The model with one output and nothing that it does not need. */
  ModelProto cutTo(ValueInfoProto output) {
    Set<String> needed = needed(output.getName());
    GraphProto.Builder cut = graph.clone();
    cut.clearNode().clearInitializer().clearInput().clearOutput().clearValueInfo();
    graph.getNodeList().stream()
        .filter(node -> node.getOutputList().stream().anyMatch(needed::contains))
        .forEach(cut::addNode);
    graph.getInitializerList().stream()
        .filter(tensor -> needed.contains(tensor.getName()))
        .forEach(cut::addInitializer);
    graph.getInputList().stream()
        .filter(input -> needed.contains(input.getName()))
        .forEach(cut::addInput);
    graph.getValueInfoList().stream()
        .filter(value -> needed.contains(value.getName()))
        .forEach(cut::addValueInfo);
    return model.toBuilder().setGraph(cut.addOutput(output)).build();
  }

  private Set<String> needed(String output) {
    Set<String> needed = new HashSet<>();
    Deque<String> open = new ArrayDeque<>(List.of(output));
    while (!open.isEmpty()) {
      String value = open.pop();
      if (!value.isEmpty() && needed.add(value)) {
        producer(value).ifPresent(node -> open.addAll(reads(node)));
      }
    }
    return needed;
  }

  /** What a node reads, its subgraphs included. */
  private static Set<String> reads(NodeProto node) {
    Set<String> reads = new HashSet<>(node.getInputList());
    node.getAttributeList()
        .forEach(attribute -> {
          if (attribute.hasG()) {
            addReads(attribute.getG(), reads);
          }
          attribute.getGraphsList().forEach(graph -> addReads(graph, reads));
        });
    return reads;
  }

  private static void addReads(GraphProto graph, Set<String> into) {
    graph.getNodeList().forEach(node -> into.addAll(reads(node)));
    graph.getOutputList().forEach(output -> into.add(output.getName()));
  }
}
